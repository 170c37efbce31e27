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
	// Public is set in the record of an interface's public name, no two of which have the
	// same. Elsewhere than in VPC, and in VPCs that have that among their DNSPeers, the
	// name stands for this address; and this address has the name, everywhere.
	Public netip.Addr `json:"public,omitzero"`
}

// Key tells a record from others: what [Change].Gone has of it.
func (r *Record) Key() string { return r.VPC + "/" + r.Name }
