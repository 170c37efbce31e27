package sim

import (
	"time"
)

// act is one thing that happens: something the user wants, or a fault.
func (w *World) act() error {
	if w.plane == nil || w.rand.IntN(3) == 0 {
		return w.fault()
	}
	w.user.act(w.ctx, w.plane, w.rand, w.trace)
	return nil
}

// fault is one thing that goes wrong, and the time when it ends.
func (w *World) fault() error {
	m := w.machines[w.rand.IntN(len(w.machines))]
	switch w.rand.IntN(12) {
	case 0, 1:
		return w.killPlaneFor(w.upTo(30 * time.Second))
	case 2:
		return w.killPlaneInCall()
	case 3, 4:
		return w.killNode(m, w.upTo(20*time.Second), false)
	case 5:
		return w.killNode(m, w.upTo(40*time.Second), true)
	case 6:
		w.trace.note("connections of %s break", m.name)
		w.road.cut(m.name)
	case 7:
		w.trace.note("connections of %s swallow what is sent", m.name)
		w.road.swallow(m.name)
	case 8, 9:
		w.hurt(m, "dies", func(id string) { _ = m.runtime.Signal(w.ctx, id, "SIGKILL") }) // gone is as good
	case 10:
		w.hurt(m, "is sick", m.makeSick)
	case 11:
		w.trouble(m)
	}
	return nil
}

func (w *World) killPlaneFor(d time.Duration) error {
	if w.plane == nil {
		return nil
	}
	w.killPlane()
	w.after(d, w.startPlane)
	return nil
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
	time.Sleep(w.user.patience())
	w.killPlane()
	<-done
	return w.startPlane()
}

// killNode kills a node's process, or switches its machine off, for a while.
func (w *World) killNode(m *machine, d time.Duration, power bool) error {
	if m.cancel == nil {
		return nil
	}
	m.kill()
	m.cancel = nil
	what := "node %s killed"
	if power {
		what = "machine %s loses power"
		if err := m.lose(); err != nil {
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

// hurt does something to a container that runs.
func (w *World) hurt(m *machine, what string, do func(id string)) {
	if all := m.running(); len(all) > 0 {
		id := all[w.rand.IntN(len(all))].ID
		w.trace.note("container %.8s on %s %s", id, m.name, what)
		do(id)
	}
}

// trouble makes registries unreachable for a machine, the control plane's disk
// full, or the way long, for a while.
func (w *World) trouble(m *machine) {
	d := w.upTo(2 * time.Minute)
	switch w.rand.IntN(3) {
	case 0:
		w.trace.note("registries do not answer %s", m.name)
		m.setAway(true)
		w.after(d, func() error { m.setAway(false); w.trace.note("registries answer %s", m.name); return nil })
	case 1:
		if p := w.plane; p != nil {
			w.trace.note("the disk is full")
			p.disk.fill(true)
			w.after(d, func() error { p.disk.fill(false); w.trace.note("the disk has room"); return nil })
		}
	case 2:
		w.trace.note("the way is long")
		w.road.slow(w.upTo(3 * time.Second))
		w.after(d, func() error { w.road.slow(time.Millisecond); w.trace.note("the way is short"); return nil })
	}
}
