package node

import (
	"maps"
	"net/netip"
	"slices"
	"sync"

	"fargo/desired"
	"fargo/host"
)

// views are the tasks as their own programs may know them, by where they ask from.
type views struct {
	mu sync.RWMutex
	at map[whereabouts]*host.Task
}

// whereabouts is an address in a VPC.
type whereabouts struct {
	vpc  string
	addr netip.Addr
}

// set shows a task for as long as it has its interface.
func (v *views) set(t *Task, report desired.TaskReport) {
	i := t.Assignment.Interface
	if i == nil {
		return
	}
	view := t.view(report)
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, a := range i.Addresses() {
		at := whereabouts{i.VPC, a}
		switch shown := v.at[at]; {
		case t.Network == Asked || t.Network == Ready:
			v.at[at] = view
		case shown != nil && shown.Assignment.TaskARN == t.Assignment.TaskARN: // another may have the address by now
			delete(v.at, at)
		}
	}
}

func (t *Task) view(report desired.TaskReport) *host.Task {
	a := t.Assignment
	view := &host.Task{Assignment: &a, Report: report, CredentialsID: t.CredentialsID, Containers: make([]host.ContainerTimes, len(t.Containers))}
	for i, c := range t.Containers {
		view.Containers[i] = host.ContainerTimes{
			CreatedAt: c.CreatedAt, StartedAt: c.StartedAt, FinishedAt: c.FinishedAt,
			HealthSince: c.HealthSince, HealthExitCode: c.HealthExitCode,
		}
	}
	return view
}

// TaskAt finds the task whose interface has an address in a VPC.
func (n *Node) TaskAt(vpc string, a netip.Addr) (*host.Task, bool) {
	n.views.mu.RLock()
	defer n.views.mu.RUnlock()
	t, ok := n.views.at[whereabouts{vpc, a}]
	return t, ok
}

// Tasks are those that have an interface, in no order.
func (n *Node) Tasks() []*host.Task {
	n.views.mu.RLock()
	defer n.views.mu.RUnlock()
	seen := map[string]*host.Task{} // one may have several addresses
	for _, t := range n.views.at {
		seen[t.Assignment.ID] = t
	}
	return slices.Collect(maps.Values(seen))
}
