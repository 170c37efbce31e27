package dispatch

import (
	"context"
	"fmt"
	"slices"

	"github.com/containerd/errdefs"

	"fargo/desired"
	"fargo/secret"
)

// toV1 is a message as a node of version 1 reads it, with the secrets that it names
// inside. One that nothing names any more is left out: what comes next does not need
// it.
func (s *Server) toV1(ctx context.Context, node string, m down) (out downV1, err error) {
	value := func(id desired.SecretID) (secret.Text, error) {
		v, err := s.plane.Secret(ctx, node, id)
		if errdefs.IsNotFound(err) {
			return secret.Text{}, nil
		}
		return v, err
	}
	out.Acknowledged = m.Acknowledged
	if m.Desired != nil {
		state, v1Err := m.Desired.ToV1(value)
		out.Desired, err = &state, v1Err
	}
	if m.Delta != nil {
		delta, v1Err := m.Delta.ToV1(value)
		out.Delta, err = &delta, v1Err
	}
	if err != nil {
		return out, fmt.Errorf("message for a node of version 1: %w", err)
	}
	return out, nil
}

// fromV1 is a message of a control plane of either version as the present one has it,
// and the secrets that were inside.
func (m *downV1) fromV1() (out down, inside []desired.Secret) {
	out.Acknowledged = m.Acknowledged
	if m.Desired != nil {
		state, found := m.Desired.Current()
		out.Desired, inside = &state, found
	}
	if m.Delta != nil {
		delta, found := m.Delta.Current()
		out.Delta, inside = &delta, append(inside, found...)
	}
	return out, inside
}

// takeInside keeps the secrets that a control plane of version 1 has sent inside its
// messages, of which state is what they lead to. It gives none when asked.
func (c *Client) takeInside(state desired.State, inside []desired.Secret) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(inside) == 0 && len(c.mu.inside) == 0 {
		return
	}
	named := desired.DataPlaneSecrets(&state)
	for i := range state.Tasks {
		for j := range state.Tasks[i].Containers {
			named = append(named, state.Tasks[i].Containers[j].Secrets()...)
		}
	}
	slices.Sort(named)
	next := map[desired.SecretID]secret.Text{}
	keep := func(id desired.SecretID, value secret.Text) {
		if _, found := slices.BinarySearch(named, id); found {
			next[id] = value
		}
	}
	for id, value := range c.mu.inside {
		keep(id, value)
	}
	for _, s := range inside {
		keep(s.ID, s.Value)
	}
	c.mu.inside = next
}

// fromInside is a secret that takeInside has kept.
func (c *Client) fromInside(id desired.SecretID) (secret.Text, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	value, known := c.mu.inside[id]
	return value, known
}
