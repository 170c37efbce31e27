package measurement

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fargo"
	"fargo/desired"
	"fargo/host"
)

// machine is a machine with counters, and a control plane.
type machine struct {
	mu         sync.Mutex
	tasks      []*host.Task
	containers map[string]host.Statistics
	interfaces map[string]host.InterfaceStatistics
	requests   uint64
	away       bool // the control plane is
	got        []desired.Measurements
}

func (m *machine) Statistics(_, containerID string) (host.Statistics, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.containers[containerID]
	if !ok {
		return s, fs.ErrNotExist
	}
	return s, nil
}

func (m *machine) InterfaceStatistics(id string) (host.InterfaceStatistics, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.interfaces[id], nil
}

// disk has file systems by their ids, of which some bytes are in use.
type disk map[string]int64

func (d disk) Usage(id string) (used, size int64, err error) {
	used, ok := d[id]
	if !ok {
		return 0, 0, fs.ErrNotExist
	}
	return used, 9 << 30, nil
}

func (m *machine) balancers(_ context.Context, before json.RawMessage) (done []desired.BalancerMeasurement, now json.RawMessage, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var counted uint64
	if before != nil {
		if err := json.Unmarshal(before, &counted); err != nil {
			return nil, nil, err
		}
	}
	if m.requests > counted {
		done = []desired.BalancerMeasurement{{Balancer: "lb", Zone: "us-east-1a", Counts: map[string]float64{"RequestCount": float64(m.requests - counted)}}}
	}
	now, err = json.Marshal(m.requests)
	return done, now, err
}

func (m *machine) send(ctx context.Context, sent desired.Measurements) error {
	for {
		m.mu.Lock()
		if !m.away {
			m.got = append(m.got, sent)
			m.mu.Unlock()
			return nil
		}
		m.mu.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// received gives what has arrived since it was last called.
func (m *machine) received() []desired.Measurements {
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	got := m.got
	m.got = nil
	return got
}

func (m *machine) set(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

// run runs a meter in a folder until the result is called.
func (m *machine) run(t *testing.T, dir string, pace fargo.Pace) (stop func()) {
	meter := New(Config{
		Tasks: func() []*host.Task {
			m.mu.Lock()
			defer m.mu.Unlock()
			return m.tasks
		},
		Containers: m, Network: m, Storage: disk{"t1": 3 << 30, "vol-1": 1 << 30}, Kept: disk{"vol-2": 2 << 30},
		Balancers: m.balancers, Send: m.send, Dir: dir, Pace: pace, Logger: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- meter.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// task is a running one that began now.
func task(id string, resolution int) *host.Task {
	return &host.Task{
		Assignment: &desired.Assignment{
			ID: id, TaskARN: "arn/" + id, Storage: 20 << 30, Resolution: resolution, Interface: &desired.Interface{ID: "eni-" + id},
			Containers: []desired.ContainerAssignment{{Name: "app", RuntimeID: id + "-app"}, {Name: "side", RuntimeID: id + "-side"}},
		},
		Report:     desired.TaskReport{Status: fargo.TaskRunning},
		Containers: []host.ContainerTimes{{StartedAt: time.Now()}, {}},
	}
}

func used(cpu time.Duration, memory int64) host.Statistics {
	return host.Statistics{CPU: host.CPUStatistics{Total: cpu}, Memory: host.MemoryStatistics{
		Usage: memory + 4096, Parts: map[string]int64{"inactive_file": 4096},
	}}
}

// TestMeter measures from minute to minute what has been added.
func TestMeter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &machine{
			containers: map[string]host.Statistics{"t1-app": used(10*time.Second, 100), "t1-side": used(time.Second, 10)},
			interfaces: map[string]host.InterfaceStatistics{"eni-t1": {Received: host.PacketStatistics{Bytes: 7}}},
		}
		stop := m.run(t, t.TempDir(), 1)
		begin := time.Now().UTC() // a whole minute, in a bubble
		time.Sleep(20 * time.Second)
		m.set(func() { m.tasks = []*host.Task{task("t1", 0)}; m.requests = 3 })
		time.Sleep(40 * time.Second)
		first := m.received()
		want := []desired.Measurements{{
			Number: 1, End: begin.Add(time.Minute),
			Tasks: []desired.TaskMeasurement{{
				TaskARN: "arn/t1", Start: begin.Add(20 * time.Second), Usage: desired.Usage{CPU: 11 * time.Second, Memory: 110},
				Network: &desired.NetworkUsage{Received: 7}, StorageUsed: 3 << 30, Storage: 20 << 30,
				Containers: []desired.ContainerMeasurement{
					{Name: "app", Usage: desired.Usage{CPU: 10 * time.Second, Memory: 100}},
					{Name: "side", Usage: desired.Usage{CPU: time.Second, Memory: 10}},
				},
			}},
			Balancers: []desired.BalancerMeasurement{{Balancer: "lb", Zone: "us-east-1a", Counts: map[string]float64{"RequestCount": 3}}},
		}}
		compare(t, want, first)
		// One container begins again, and one is gone.
		m.set(func() {
			m.containers = map[string]host.Statistics{"t1-app": used(4*time.Second, 50)}
			m.interfaces["eni-t1"] = host.InterfaceStatistics{Received: host.PacketStatistics{Bytes: 9}, Sent: host.PacketStatistics{Bytes: 1}}
		})
		time.Sleep(time.Minute)
		compare(t, []desired.Measurements{{
			Number: 2, End: begin.Add(2 * time.Minute),
			Tasks: []desired.TaskMeasurement{{
				TaskARN: "arn/t1", Start: begin.Add(time.Minute), Usage: desired.Usage{CPU: 4 * time.Second, Memory: 50},
				Network: &desired.NetworkUsage{Received: 2, Sent: 1}, StorageUsed: 3 << 30, Storage: 20 << 30,
				Containers: []desired.ContainerMeasurement{{Name: "app", Usage: desired.Usage{CPU: 4 * time.Second, Memory: 50}}},
			}},
		}}, m.received())
		stop()
	})
}

func compare(t *testing.T, want, got []desired.Measurements) {
	t.Helper()
	for i := range got {
		if got[i].Sequence == "" {
			t.Error("a measurement is of no sequence")
		}
		got[i].Sequence = ""
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("measurements (-want +got):\n%s", diff)
	}
}

// TestResolution measures a task that asks for it three times a minute, and one that has
// just begun not at all.
func TestResolution(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &machine{containers: map[string]host.Statistics{"t1-app": used(0, 0), "t2-app": used(0, 0)}}
		stop := m.run(t, t.TempDir(), 2)
		begin := time.Now().UTC()
		time.Sleep(6 * time.Second) // of ten
		m.set(func() { m.tasks = []*host.Task{task("t1", 20), task("t2", 0)} })
		time.Sleep(24 * time.Second)
		type measured struct {
			task       string
			start, end time.Duration
		}
		var got []measured
		for _, s := range m.received() {
			for _, u := range s.Tasks {
				got = append(got, measured{u.TaskARN, u.Start.Sub(begin), s.End.Sub(begin)})
			}
		}
		const s = time.Second
		want := []measured{{"arn/t1", 6 * s, 20 * s}, {"arn/t1", 20 * s, 30 * s}, {"arn/t2", 6 * s, 30 * s}}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(measured{})); diff != "" {
			t.Errorf("measured (-want +got):\n%s", diff)
		}
		stop()
	})
}

// TestVolumes says how full a task's volumes are, where they are, and nothing of one that is
// not there.
func TestVolumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := task("t1", 0)
		x.Assignment.BlockVolumes = []desired.BlockVolume{
			{Volume: "files", ID: "vol-1"}, {Volume: "gone", ID: "vol-3"}, {Volume: "kept", ID: "vol-2", Keep: true}, {Volume: "elsewhere", ID: "vol-2"},
		}
		m := &machine{tasks: []*host.Task{x}, containers: map[string]host.Statistics{"t1-app": used(0, 0)}}
		stop := m.run(t, t.TempDir(), 1)
		time.Sleep(time.Minute)
		got := m.received()
		stop()
		want := []desired.VolumeMeasurement{
			{Volume: "files", ID: "vol-1", Used: 1 << 30, Size: 9 << 30}, {Volume: "kept", ID: "vol-2", Used: 2 << 30, Size: 9 << 30},
		}
		if len(got) != 1 {
			t.Fatalf("%d measurements", len(got))
		}
		if diff := cmp.Diff(want, got[0].Tasks[0].Volumes); diff != "" {
			t.Errorf("volumes (-want +got):\n%s", diff)
		}
	})
}

// TestRestarts counts each restart once, also one that is under way when it is looked at, and
// says how containers are of whose health something is known.
func TestRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := task("t1", 0)
		app, side := &x.Assignment.Containers[0], &x.Assignment.Containers[1]
		app.Restart, side.HealthCheck = &desired.RestartPolicy{}, &desired.HealthCheck{}
		x.Report.Containers = []desired.ContainerReport{{}, {Health: desired.HealthUnknown}}
		m := &machine{tasks: []*host.Task{x}}
		stop := m.run(t, t.TempDir(), 1)
		type look struct {
			App    *int // nil while it is not measured
			Health desired.HealthStatus
		}
		var got []look
		for _, minute := range []struct {
			restarts int
			runs     bool
			health   desired.HealthStatus
		}{{0, true, desired.HealthUnknown}, {2, true, desired.Healthy}, {3, false, desired.Unhealthy}, {3, true, desired.Unhealthy}, {3, true, desired.Healthy}} {
			m.set(func() {
				x.Report.Containers[0].Restarts, x.Report.Containers[1].Health = minute.restarts, minute.health
				m.containers = map[string]host.Statistics{"t1-side": used(0, 0)}
				if minute.runs {
					m.containers["t1-app"] = used(0, 0)
				}
			})
			time.Sleep(time.Minute)
			var seen look
			for _, s := range m.received() {
				for _, c := range s.Tasks[0].Containers {
					switch c.Name {
					case "app":
						seen.App = c.Restarts
					case "side":
						seen.Health = c.Health
						if c.Restarts != nil {
							t.Error("there are restarts of a container without a policy")
						}
					}
				}
			}
			got = append(got, seen)
		}
		want := []look{
			{new(0), desired.HealthUnknown}, {new(2), desired.Healthy}, {nil, desired.Unhealthy}, {new(1), desired.Unhealthy}, {new(0), desired.Healthy},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("each minute (-want +got):\n%s", diff)
		}
		stop()
	})
}

// TestKilled counts everything once, although the meter ends and the control plane is away.
func TestKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		m := &machine{away: true, containers: map[string]host.Statistics{"t1-app": {}}, tasks: []*host.Task{task("t1", 0)}}
		sequences := map[string]bool{}
		var requests float64
		var cpu time.Duration
		last := uint64(0)
		count := func() {
			for _, s := range m.received() {
				sequences[s.Sequence] = true
				if s.Number <= last {
					continue // as the control plane does
				}
				if s.Number != last+1 {
					t.Errorf("%d comes after %d", s.Number, last)
				}
				last = s.Number
				for _, b := range s.Balancers {
					requests += b.Counts["RequestCount"]
				}
				for _, u := range s.Tasks {
					cpu += u.CPU
				}
			}
		}
		for i := range 10 {
			stop := m.run(t, dir, 1)
			time.Sleep(90 * time.Second)
			m.set(func() {
				m.requests += 5
				m.containers["t1-app"] = used(time.Duration(i+1)*time.Second, 0)
				m.away = i%3 != 0
			})
			time.Sleep(100 * time.Second)
			count()
			stop()
		}
		m.set(func() { m.away = false })
		stop := m.run(t, dir, 1)
		time.Sleep(2 * time.Minute)
		count()
		stop()
		if requests != 50 || cpu != 10*time.Second || len(sequences) != 1 {
			t.Errorf("%v requests, %v of processors, %d sequences", requests, cpu, len(sequences))
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
			t.Errorf("%d files are left, %v", len(left), err)
		}
	})
}

// TestDamagedFile goes on without a file that cannot be read, in a sequence of its own if it
// was the only one.
func TestDamagedFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		m := &machine{requests: 1}
		stop := m.run(t, dir, 1)
		time.Sleep(time.Minute)
		before := m.received()
		stop()
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		if err := os.WriteFile(files[0], []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		stop = m.run(t, dir, 1)
		time.Sleep(time.Minute)
		after := m.received()
		stop()
		if len(before) != 1 || len(after) != 1 || before[0].Sequence == after[0].Sequence || after[0].Number != 1 {
			t.Errorf("before %+v, after %+v", before, after)
		}
	})
}

// TestTooMany drops the oldest.
func TestTooMany(t *testing.T) {
	f := folder{t.TempDir()}
	m := New(Config{Dir: f.dir, Logger: slog.New(slog.DiscardHandler)})
	for n := range uint64(most + 5) {
		k := kept{Measurements: desired.Measurements{Number: n + 1}}
		if err := errors.Join(f.save(&k), m.add(k)); err != nil {
			t.Fatal(err)
		}
	}
	if numbers, err := f.numbers(); err != nil || len(numbers) != most || numbers[0] != 6 {
		t.Errorf("%d are kept, from %d on, %v", len(numbers), numbers[0], err)
	}
}
