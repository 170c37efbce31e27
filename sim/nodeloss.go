package sim

import (
	"fmt"
	"os"
	"slices"
	"time"

	"fargo/record"
	"fargo/store"
)

// longAbsence is how long a machine is away that comes back after it was given up.
const longAbsence = time.Hour

// expendable reports whether a machine can be away for long: it is not already, and
// more than one other is not.
func (w *World) expendable(m *machine) bool {
	present := 0
	for _, other := range w.machines {
		if !other.away {
			present++
		}
	}
	return !m.away && m.cancel != nil && present > 2
}

// present are the machines that are not gone for good.
func (w *World) present() []*machine {
	return slices.DeleteFunc(slices.Clone(w.machines), func(m *machine) bool { return m.gone })
}

// loseMachine takes a machine away for good.
func (w *World) loseMachine(m *machine) error {
	if !w.expendable(m) {
		return nil
	}
	w.trace.note("machine %s is gone for good", m.name)
	m.kill()
	m.cancel, m.away, m.gone = nil, true, true
	return m.losePower()
}

// leaveMachine takes a machine away for an hour: without power, with containers that
// run on although their node is dead, or without a connection.
func (w *World) leaveMachine(m *machine) error {
	if !w.expendable(m) {
		return nil
	}
	m.away = true
	w.after(longAbsence, func() error { m.away = false; return nil })
	switch w.rand.IntN(3) {
	case 0:
		return w.killNode(m, longAbsence, true)
	case 1:
		return w.killNode(m, longAbsence, false)
	}
	w.trace.note("machine %s is unreachable", m.name)
	w.link.isolate(m.name, true)
	w.after(longAbsence, func() error {
		w.trace.note("machine %s is reachable again", m.name)
		w.link.isolate(m.name, false)
		return nil
	})
	return nil
}

// loseNodeData has a machine's node come back at once, with another id and without
// anything it knew. Its containers run on until it finds them.
func (w *World) loseNodeData(m *machine) error {
	if m.away || m.cancel == nil {
		return nil
	}
	m.kill()
	m.mu.Lock()
	m.mu.dataLosses++
	m.mu.Unlock()
	for _, id := range m.runtime.Now() {
		m.outputLost[id] = true
	}
	w.trace.note("node %s loses its data", m.name)
	if err := os.RemoveAll(m.disk); err != nil {
		return err
	}
	return m.start(w.ctx)
}

// nodeID is the id that the machine's node keeps in its data.
func (m *machine) nodeID() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mu.dataLosses == 0 {
		return m.name
	}
	return fmt.Sprintf("%s.%d", m.name, m.mu.dataLosses)
}

// node holds of a node that has become ACTIVE that nothing is left on its machine of
// what it had before, or of an earlier node.
func (v *invariants) node(before, view *store.Snapshot, key string) {
	old, known := store.Nodes.Get(before, key)
	n, ok := store.Nodes.Get(view, key)
	if !ok {
		v.trace.note("node %s is deleted", key)
		return
	}
	if known && old.State == n.State {
		return
	}
	v.trace.note("node %s is %s", key, n.State)
	if n.State == record.NodeActive {
		if left := v.containers(key); len(left) > 0 {
			v.violated("node %s becomes active with %d old containers: %.8s", key, len(left), left)
		}
	}
}

// placed holds that a task is placed on a node that is ACTIVE. A state may be that of
// several transactions, so it counts when the node was that before or is after.
func (v *invariants) placed(before, view *store.Snapshot, t *record.Task) {
	old, _ := store.Nodes.Get(before, t.Node)
	n, _ := store.Nodes.Get(view, t.Node)
	if (old == nil || !old.Active()) && (n == nil || !n.Active()) {
		v.violated("task %.8s is placed on node %s, which is not active", t.ID, t.Node)
	}
}

// containersOf are the ids of all containers on the machine of a node.
func (w *World) containersOf(node string) []string {
	for _, m := range w.machines {
		if m.nodeID() == node {
			return m.runtime.Now()
		}
	}
	return nil
}
