package balancer

import (
	"net/netip"
	"time"

	"fargo/aws/elbv2"
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

// become gives a target the health it is known to have. The caller holds the
// group's mu.
func (t *target) become(h TargetHealth) {
	state := elbv2.TargetHealthStateEnum(h.State)
	if state == t.mu.state {
		return
	}
	t.mu.state = state
	t.healthySince.Store(0)
	if routable(state) {
		t.healthySince.Store(h.Since.UnixNano())
		t.mu.credit = 0
	}
}
