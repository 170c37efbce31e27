package balancer

import (
	"net/netip"
	"time"

	"fargo/desired"
)

// TargetHealth is what a [Checker] knows of a target, and all that a [Server]
// is told of it.
type TargetHealth struct {
	desired.TargetReport
	// Address is the target's own, which a later target with the same id may not
	// have.
	Address netip.AddrPort `json:"address"`
	// Since is when the target came to its state.
	Since time.Time `json:"since"`
}

// healthKey tells targets of all groups apart.
type healthKey struct {
	group string
	targetKey
}

// healths are what is known of targets.
type healths map[healthKey]TargetHealth

func index(all []TargetHealth) healths {
	known := make(healths, len(all))
	for _, h := range all {
		known[h.key()] = h
	}
	return known
}

func (h *TargetHealth) key() healthKey {
	return healthKey{h.Group, targetKey{h.ID, h.Port, h.Address, h.RegisteredAt.UnixNano()}}
}

// targetKey tells targets apart: one that comes back, or with another address,
// is a new one.
type targetKey struct {
	id         string
	port       int
	address    netip.AddrPort
	registered int64
}

func keyOf(t *desired.BalancerTarget) targetKey {
	return targetKey{t.ID, t.Port, t.Address, t.RegisteredAt.UnixNano()}
}
