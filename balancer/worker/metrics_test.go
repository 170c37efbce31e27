package worker_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fargo/balancer/worker"
	"fargo/desired"
)

// measured is what one fleet after another has measured.
type measured struct {
	kept  json.RawMessage
	group map[string]float64 // counts of target groups, together
	last  []desired.BalancerMeasurement
}

// more measures, and keeps the counts as a node does, on its disk.
func (m *measured) more(t *testing.T, f *worker.Fleet) {
	t.Helper()
	done, now, err := f.Measure(t.Context(), m.kept)
	if err != nil {
		t.Fatal(err)
	}
	if m.group == nil {
		m.group = map[string]float64{}
	}
	m.kept, m.last = now, done
	for _, d := range done {
		if d.Group == "" {
			continue
		}
		for name, n := range d.Counts {
			m.group[name] += n
		}
	}
}

// ask makes requests, and waits until n are measured, of all that there ever were.
func (m *measured) ask(t *testing.T, machine *machine, f *worker.Fleet, requests int, n float64) {
	t.Helper()
	for range requests {
		if _, err := machine.get(); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "they are measured", func() bool { m.more(t, f); return m.group["RequestCount"] >= n })
	m.more(t, f)
	if got := m.group["RequestCount"]; got != n {
		t.Errorf("%v requests were measured, of %v", got, n)
	}
}

// What workers count is measured once, whatever becomes of them and of the fleet: a worker
// dies, the fleet is replaced, and a worker that this one has not known has died meanwhile.
func TestMeasuredOnce(t *testing.T) {
	m := newMachine(t)
	f, end := m.newFleet()
	b, g := configuration(target(t, "one"))
	m.set(f, b, g)
	healthy(t, f, 1)
	var count measured
	count.ask(t, m, f, 10, 10)
	for range 5 {
		if _, err := m.get(); err != nil {
			t.Fatal(err)
		}
	}
	count.ask(t, m, f, 0, 15)
	victim := m.alive()[0]
	victim.Kill()
	<-victim.ended
	eventually(t, "there is another", func() bool { return len(m.alive()) == 2 })
	count.ask(t, m, f, 10, 25)

	end()
	victim = m.alive()[0]
	victim.Kill()
	<-victim.ended
	f, _ = m.newFleet()
	before := string(count.kept)
	count.more(t, f)
	if string(count.kept) != before {
		t.Error("a fleet that knows no workers has other counts")
	}
	m.set(f, b, g)
	healthy(t, f, 1)
	count.ask(t, m, f, 10, 35)
}

// What a worker does after it was told to leave is measured when it has ended.
func TestMeasuredWhenLeft(t *testing.T) {
	m := newMachine(t)
	f, _ := m.newFleet()
	under, over := make(chan struct{}), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.UserAgent(), "ELB-HealthChecker") {
			close(under)
			<-over
		}
	}))
	t.Cleanup(slow.Close)
	b, g := configuration(slow.Listener.Addr().String())
	m.set(f, b, g)
	healthy(t, f, 1)
	answered := make(chan error, 1)
	go func() {
		_, err := m.get()
		answered <- err
	}()
	<-under
	m.set(f, nil, nil)
	var count measured
	for range 3 { // however often it is asked
		if count.more(t, f); count.group["RequestCount"] != 0 {
			t.Errorf("%v", count.group)
		}
	}
	close(over)
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is measured", func() bool { count.more(t, f); return count.group["RequestCount"] == 1 })
	for range 3 {
		if count.more(t, f); count.group["RequestCount"] != 1 {
			t.Errorf("%v", count.group)
		}
	}
	if len(count.last) > 0 || string(count.kept) != "{}" {
		t.Errorf("kept for nothing: %s", count.kept)
	}
}

// What workers had counted when nobody knows what of it was measured is not measured.
func TestMeasuredWithoutCounts(t *testing.T) {
	m := newMachine(t)
	f, end := m.newFleet()
	b, g := configuration(target(t, "one"))
	m.set(f, b, g)
	healthy(t, f, 1)
	new(measured).ask(t, m, f, 10, 10)
	end()
	f, _ = m.newFleet()
	m.set(f, b, g)
	healthy(t, f, 1)
	var count measured
	count.more(t, f)
	count.ask(t, m, f, 3, 3)
}
