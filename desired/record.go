package desired

import (
	"net/netip"
	"time"
)

// Record is a name and the addresses it stands for: what DNS answers from.
type Record struct {
	Name      string       `json:"name"` // in lower case, without a final dot
	Addresses []netip.Addr `json:"addresses"`
	// TTL is how long an answer may be remembered, in whole seconds.
	TTL time.Duration `json:"ttl"`
	// VPC is the only one that the name is known in; empty means in every VPC
	// and on the machine itself.
	VPC string `json:"vpc,omitempty"`
}
