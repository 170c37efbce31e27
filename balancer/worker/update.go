package worker

import (
	"reflect"

	"fargo/desired"
	"fargo/secret"
)

// update leads from one generation of a configuration to a later one.
type update struct {
	// From is the generation of the worker that can take it. 0 is any: what it was told
	// before is void, and the update is all that it is to do.
	From uint64 `json:"from,omitempty"`
	// To is the generation that the worker acknowledges.
	To           uint64                                `json:"to"`
	Balancers    desired.Change[desired.Balancer]      `json:"balancers,omitzero"`
	Groups       desired.Change[desired.BalancerGroup] `json:"groups,omitzero"`
	Certificates desired.Change[certificate]           `json:"certificates,omitzero"`
	Health       desired.Change[groupHealth]           `json:"health,omitzero"`
	// Tickets are there when they are others than before.
	Tickets []secret.Exposed `json:"tickets,omitempty"`
	// Retry has the worker do again what it could not do before.
	Retry bool `json:"retry,omitempty"`
}

// acknowledgement is a worker's answer to an update.
type acknowledgement struct {
	// Generation is what the worker has now.
	Generation uint64 `json:"generation"`
	// Rejected tells what it cannot do of it. It does the rest.
	Rejected string `json:"rejected,omitempty"`
}

// between is what leads from old, which is nil for a worker of which nothing is known,
// to next.
func between(old, next *config) *update {
	if old == nil {
		old = &config{}
	}
	u := &update{
		From: old.generation, To: next.generation,
		Balancers:    desired.Between(old.balancers, next.balancers, balancerKey),
		Groups:       desired.Between(old.groups, next.groups, groupKey),
		Certificates: desired.Between(old.certificates, next.certificates, certificateKey),
		Health:       desired.Between(old.health, next.health, healthKey),
	}
	if !reflect.DeepEqual(old.tickets, next.tickets) {
		u.Tickets = next.tickets
	}
	return u
}

// apply gives the configuration that an update leads to from c, which stays as it is.
func (c *config) apply(u *update) *config {
	next := &config{
		generation:   u.To,
		balancers:    u.Balancers.Apply(c.balancers, balancerKey),
		groups:       u.Groups.Apply(c.groups, groupKey),
		certificates: u.Certificates.Apply(c.certificates, certificateKey),
		health:       u.Health.Apply(c.health, healthKey),
		tickets:      c.tickets,
	}
	if u.Tickets != nil {
		next.tickets = u.Tickets
	}
	return next
}

// onlyHealth reports whether there is nothing in an update but what is known of
// targets.
func (u *update) onlyHealth() bool {
	return !u.Retry && u.From != 0 && u.Tickets == nil && u.Balancers.Empty() && u.Groups.Empty() && u.Certificates.Empty()
}

// empty reports whether an update changes nothing.
func (u *update) empty() bool { return u.onlyHealth() && u.Health.Empty() }
