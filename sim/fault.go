package sim

import (
	"errors"
	"time"
)

// fault is one kind of thing that goes wrong.
type fault struct {
	// weight is how often it is drawn, relative to the weights of the others.
	weight int
	// inject begins it, on m if it befalls a machine, and schedules its end.
	inject func(w *World, m *machine) error
}

// faults is the fault mix: whoever adds one adds a line here. A new line changes
// what every seed means.
var faults = []fault{
	{2, func(w *World, _ *machine) error { return w.killPlaneFor(w.upTo(30 * time.Second)) }},
	{1, func(w *World, _ *machine) error { return w.killPlaneInCall() }},
	{2, func(w *World, m *machine) error { return w.killNode(m, w.upTo(20*time.Second), false) }},
	{1, func(w *World, m *machine) error { return w.killNode(m, w.upTo(40*time.Second), true) }},
	{1, (*World).breakConnections},
	{1, (*World).blackholeConnections},
	{2, (*World).killContainer},
	{1, (*World).failHealthChecks},
	{1, (*World).stopRegistries},
	{1, (*World).fillStorage},
	{1, (*World).delayStorage},
	{1, (*World).breakStorage},
	{1, (*World).deposePlane},
	{1, (*World).delayConnections},
	{1, (*World).leaveMachine},
	{1, (*World).loseNodeData},
	{1, (*World).loseMachine},
}

// step is one thing that happens: something the user wants, or a fault.
func (w *World) step() error {
	if w.plane == nil || w.rand.IntN(3) == 0 {
		return w.fault()
	}
	w.user.act(w.ctx, w.plane, w.rand, w.trace)
	return nil
}

// fault draws one of the faults and injects it.
func (w *World) fault() error {
	m := w.machines[w.rand.IntN(len(w.machines))]
	total := 0
	for _, f := range faults {
		total += f.weight
	}
	n := w.rand.IntN(total)
	for _, f := range faults {
		if n -= f.weight; n < 0 {
			return f.inject(w, m)
		}
	}
	panic("unreachable: n is below the total weight")
}

func (w *World) killPlaneFor(d time.Duration) error {
	if w.plane == nil {
		return nil
	}
	w.after(d, w.startPlane)
	return w.killPlane()
}

// killPlaneInCall kills the control plane while the user waits for an answer.
func (w *World) killPlaneInCall() error {
	if w.plane == nil {
		return nil
	}
	p, done := w.plane, make(chan struct{})
	go func() {
		defer close(done)
		w.user.act(w.ctx, p, w.rand, w.trace)
	}()
	time.Sleep(w.user.killDelay())
	err := w.killPlane()
	<-done
	return errors.Join(err, w.startPlane())
}

// killNode kills a node's process, or switches its machine off, for a while.
func (w *World) killNode(m *machine, d time.Duration, power bool) error {
	if m.cancel == nil {
		return nil
	}
	m.kill()
	what := "node %s killed"
	if power {
		what = "machine %s loses power"
		if err := m.losePower(); err != nil {
			return err
		}
	}
	w.trace.note(what, m.name)
	w.after(d, func() error {
		w.trace.note("node %s starts", m.name)
		return m.start(w.ctx)
	})
	return nil
}

// breakConnections closes a machine's connections.
func (w *World) breakConnections(m *machine) error {
	w.trace.note("connections of %s break", m.name)
	w.link.cut(m.name)
	return nil
}

// blackholeConnections has a machine's connections lose what is sent on them.
func (w *World) blackholeConnections(m *machine) error {
	w.trace.note("connections of %s lose what is sent", m.name)
	w.link.blackhole(m.name)
	return nil
}

// killContainer kills a container behind its node's back.
func (w *World) killContainer(m *machine) error {
	if id, ok := w.someContainer(m); ok {
		w.trace.note("container %.8s on %s dies", id, m.name)
		_ = m.runtime.Signal(w.ctx, id, "SIGKILL") // one that is gone already is as dead
	}
	return nil
}

// failHealthChecks makes a container fail all its health checks from now on.
func (w *World) failHealthChecks(m *machine) error {
	if id, ok := w.someContainer(m); ok {
		w.trace.note("container %.8s on %s is unhealthy", id, m.name)
		m.makeUnhealthy(id)
	}
	return nil
}

// someContainer draws one of those that run on a machine.
func (w *World) someContainer(m *machine) (id string, ok bool) {
	all := m.running()
	if len(all) == 0 {
		return "", false
	}
	return all[w.rand.IntN(len(all))].ID, true
}

// longestOutage is how long a fault of the surroundings may last.
const longestOutage = 2 * time.Minute

// stopRegistries makes registries unreachable from a machine for a while.
func (w *World) stopRegistries(m *machine) error {
	w.trace.note("registries do not answer %s", m.name)
	m.setRegistriesDown(true)
	w.after(w.upTo(longestOutage), func() error {
		m.setRegistriesDown(false)
		w.trace.note("registries answer %s", m.name)
		return nil
	})
	return nil
}

// fillStorage leaves the control plane's storage without room for a while.
func (w *World) fillStorage(*machine) error {
	w.trace.note("the storage is full")
	w.storage.setFull(true)
	w.after(w.upTo(longestOutage), func() error {
		w.storage.setFull(false)
		w.trace.note("the storage has room")
		return nil
	})
	return nil
}

// delayStorage makes commits slow for a while.
func (w *World) delayStorage(*machine) error {
	w.trace.note("commits are slow")
	w.storage.setDelay(w.upTo(3 * time.Second))
	w.after(w.upTo(longestOutage), func() error {
		w.storage.setDelay(0)
		w.trace.note("commits are fast")
		return nil
	})
	return nil
}

// breakStorage makes commits unreliable for a while.
func (w *World) breakStorage(*machine) error {
	w.trace.note("commits are unreliable")
	w.storage.setUnreliable(true)
	w.after(w.upTo(longestOutage), func() error {
		w.storage.setUnreliable(false)
		w.trace.note("commits are reliable")
		return nil
	})
	return nil
}

// deposePlane has the control plane lose leadership.
func (w *World) deposePlane(*machine) error {
	w.trace.note("another control plane leads")
	w.storage.depose()
	return nil
}

// delayConnections makes all connections slow for a while.
func (w *World) delayConnections(*machine) error {
	w.trace.note("connections are slow")
	w.link.setDelay(w.upTo(3 * time.Second))
	w.after(w.upTo(longestOutage), func() error {
		w.link.setDelay(usualDelay)
		w.trace.note("connections are fast")
		return nil
	})
	return nil
}
