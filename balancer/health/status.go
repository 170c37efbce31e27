package health

import (
	"net/netip"
	"time"

	"fargo/desired"
)

// Status is what a [Checker] knows of a target, and all that those who send requests
// to it are told.
type Status struct {
	desired.TargetReport
	// Address is the target's own, which a later target with the same id may not
	// have.
	Address netip.AddrPort `json:"address"`
	// Since is when the target came to its state.
	Since time.Time `json:"since"`
}

// Key tells the targets of all groups apart.
type Key struct {
	Group string
	TargetKey
}

// ByTarget is what is known of targets.
type ByTarget map[Key]Status

// Index sorts what is known by target.
func Index(all []Status) ByTarget {
	known := make(ByTarget, len(all))
	for _, h := range all {
		known[h.key()] = h
	}
	return known
}

func (h *Status) key() Key {
	return Key{h.Group, TargetKey{h.ID, h.Port, h.Address, h.RegisteredAt.UnixNano()}}
}

// TargetKey tells targets apart: one that comes back, or with another address,
// is a new one.
type TargetKey struct {
	id         string
	port       int
	address    netip.AddrPort
	registered int64
}

// KeyOf is the key of a target as it is configured.
func KeyOf(t *desired.BalancerTarget) TargetKey {
	return TargetKey{t.ID, t.Port, t.Address, t.RegisteredAt.UnixNano()}
}
