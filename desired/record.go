package desired

import (
	"net/netip"
	"time"
)

// Record is a name and the addresses it stands for: what DNS answers from.
type Record struct {
	// Name is in lower case, without a final dot. One that begins with "*." stands for
	// every name with one label more that has no record of its own.
	Name      string       `json:"name"`
	Addresses []netip.Addr `json:"addresses"`
	// TTL is how long an answer may be remembered, in whole seconds.
	TTL time.Duration `json:"ttl"`
	// VPC is the only one that the name is known in; empty means in every VPC
	// and on the machine itself.
	VPC string `json:"vpc,omitempty"`
}
