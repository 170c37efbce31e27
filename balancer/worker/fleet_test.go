package worker_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"fargo/aws/elbv2"
	"fargo/balancer"
	"fargo/balancer/balancertest"
	"fargo/balancer/health"
	"fargo/balancer/worker"
	"fargo/desired"
	"fargo/secret"
)

// deadline is how long a condition may take to come true.
const deadline = 20 * time.Second

// machine runs workers within the test, as processes that end when they are told
// to, or killed.
type machine struct {
	t    *testing.T
	dir  string
	port uint16                           // of loopback, where all listen
	keys map[desired.SecretID]secret.Text // of the certificates that fleets are given
	// timeout is that of fleets.
	timeout time.Duration
	// received is how many bytes came to control sockets.
	received atomic.Int64
	mu       struct {
		sync.Mutex
		build   string
		started int
		running []*process
		failing error // of Start
		silent  bool  // those started from now on do not answer
	}
}

type process struct {
	machine *machine
	number  int
	build   string
	leave   chan struct{}
	cancel  context.CancelFunc
	ended   chan struct{}
}

func newMachine(t *testing.T) *machine {
	m := &machine{t: t, dir: t.TempDir(), port: keepPort(t)}
	t.Cleanup(func() {
		for _, p := range m.alive() {
			p.cancel()
			<-p.ended
		}
	})
	return m
}

// keepPort keeps a port of loopback for those who share it, until the test ends:
// a socket that is bound, and does not listen, gets no connections.
func keepPort(t *testing.T) uint16 {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	at, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return uint16(at.(*unix.SockaddrInet4).Port)
}

func (m *machine) alive() []*process {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.mu.running)
}

func (m *machine) Find(context.Context) (found []worker.Process, err error) {
	for _, p := range m.alive() {
		found = append(found, p)
	}
	return found, nil
}

func (m *machine) Start() (worker.Process, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mu.failing != nil {
		return nil, m.mu.failing
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &process{machine: m, number: m.mu.started, build: m.mu.build, leave: make(chan struct{}, 1), cancel: cancel, ended: make(chan struct{})}
	m.mu.started++
	control, err := net.Listen("unix", p.Socket())
	if err != nil {
		return nil, err
	}
	m.mu.running = append(m.mu.running, p)
	go p.run(ctx, control, m.mu.silent)
	return p, nil
}

// run is the process's main function.
func (p *process) run(ctx context.Context, control net.Listener, silent bool) {
	server := balancer.New(balancer.Config{
		Network: &balancertest.Loopback{At: map[uint16]uint16{80: p.machine.port}},
		Logger:  slog.New(slog.DiscardHandler), Pace: 1, Turn: uint64(p.number),
	})
	serving, stop := context.WithCancel(ctx)
	defer stop()
	var tasks sync.WaitGroup
	if !silent {
		tasks.Go(func() { worker.Serve(serving, countingListener{control, &p.machine.received}, server) })
	}
	tasks.Go(func() {
		select {
		case <-p.leave:
			stop()
			grace, cancel := context.WithTimeout(ctx, deadline)
			defer cancel()
			server.Close(grace)
		case <-ctx.Done():
		}
	})
	server.Run(ctx)
	stop()
	control.Close()
	tasks.Wait()
	m := p.machine
	m.mu.Lock()
	m.mu.running = slices.DeleteFunc(m.mu.running, func(r *process) bool { return r == p })
	m.mu.Unlock()
	close(p.ended)
}

// countingListener counts what its connections read.
type countingListener struct {
	net.Listener
	received *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return countingConn{c, l.received}, err
}

type countingConn struct {
	net.Conn
	received *atomic.Int64
}

func (c countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.received.Add(int64(n))
	return n, err
}

func (p *process) PID() int       { return 1000 + p.number }
func (p *process) Socket() string { return filepath.Join(p.machine.dir, fmt.Sprint(p.number)) }
func (p *process) Leave() error   { p.leave <- struct{}{}; return nil }
func (p *process) Kill() error    { p.cancel(); return nil }

func (p *process) Current() bool {
	p.machine.mu.Lock()
	defer p.machine.mu.Unlock()
	return p.build == p.machine.mu.build
}

func (p *process) Wait(ctx context.Context) error {
	select {
	case <-p.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// newFleet is a fleet of two workers, which runs until the function is called or
// the test ends.
func (m *machine) newFleet() (f *worker.Fleet, end func()) {
	log := slog.New(slog.DiscardHandler)
	checker := health.NewChecker(health.Config{Network: &balancertest.Loopback{}, Logger: log, Pace: 1})
	f = worker.NewFleet(worker.FleetConfig{Checker: checker, Processes: m, Workers: 2, Logger: log, Timeout: m.timeout})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.Run(ctx)
	}()
	end = sync.OnceFunc(func() {
		cancel()
		<-done
		checker.Close()
	})
	m.t.Cleanup(end)
	return f, end
}

func (m *machine) set(f *worker.Fleet, b []desired.Balancer, g []desired.BalancerGroup) {
	m.t.Helper()
	if err := f.Set(m.t.Context(), b, g, m.keys); err != nil {
		m.t.Fatal(err)
	}
}

// get asks on a connection of its own and gives the answer.
func (m *machine) get() (string, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: deadline}
	r, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/", m.port))
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return fmt.Sprintf("%d %s", r.StatusCode, b), err
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(deadline)
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("%s: did not happen", what)
		}
	}
}

// healthy waits until n targets are said to be healthy.
func healthy(t *testing.T, f *worker.Fleet, n int) {
	t.Helper()
	limit := time.After(deadline)
	for {
		reports, newer := f.Health()
		got := 0
		for _, r := range reports {
			if r.State == "healthy" {
				got++
			}
		}
		if got == n {
			return
		}
		select {
		case <-newer:
		case <-limit:
			t.Fatalf("%d healthy, want %d: %+v", got, n, reports)
		}
	}
}

func target(t *testing.T, name string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, name) }))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// configuration is a load balancer at port 80 with these targets.
func configuration(addresses ...string) ([]desired.Balancer, []desired.BalancerGroup) {
	g := desired.BalancerGroup{
		ARN: "arn:g", Name: "targetgroup/g/1",
		Group: elbv2.TargetGroup{Protocol: "HTTP", HealthCheckProtocol: "HTTP", HealthCheckPath: new("/")},
	}
	for _, a := range addresses {
		address := netip.MustParseAddrPort(a)
		g.Targets = append(g.Targets, desired.BalancerTarget{ID: address.Addr().String(), Port: int(address.Port()), Address: address, RegisteredAt: time.Unix(1000, 0)})
	}
	rule := desired.BalancerRule{ARN: "arn:rule", Priority: "default", Actions: []elbv2.Action{{Type: "forward", TargetGroupArn: &g.ARN}}}
	b := desired.Balancer{
		ARN: "arn:alb", Name: "app/test/1", Interfaces: []desired.Interface{{ID: "eni-1"}},
		Listeners: []desired.BalancerListener{{ARN: "arn:listener", Protocol: "HTTP", Port: 80, Rules: []desired.BalancerRule{rule}}},
	}
	return []desired.Balancer{b}, []desired.BalancerGroup{g}
}

// All workers do the same, and what they count is one sum; there are none without
// load balancers.
func TestFleet(t *testing.T) {
	m := newMachine(t)
	f, _ := m.newFleet()
	m.set(f, nil, nil)
	if n := len(m.alive()); n != 0 {
		t.Errorf("%d workers for nothing", n)
	}
	b, g := configuration(target(t, "one"), target(t, "two"))
	m.set(f, b, g)
	healthy(t, f, 2)
	if n := len(m.alive()); n != 2 {
		t.Errorf("%d workers", n)
	}
	const requests = 64
	answers := map[string]int{}
	for range requests {
		answer, err := m.get()
		if err != nil {
			t.Fatal(err)
		}
		answers[answer]++
	}
	if d := answers["200 one"] - answers["200 two"]; answers["200 one"]+answers["200 two"] != requests || d < -2 || d > 2 {
		t.Errorf("answers: %v", answers)
	}
	// A request is counted in several places, one after the other, and a worker
	// may be asked in between: only when all have what they will have is it the
	// time to compare.
	var count measured
	eventually(t, "all are counted", func() bool {
		count.more(t, f)
		return count.group["RequestCount"] >= requests && count.group["HTTPCode_Target_2XX_Count"] >= requests
	})
	if n := count.group; n["RequestCount"] != requests || n["HTTPCode_Target_2XX_Count"] != requests || n["RequestCountPerTarget"] != requests/2 {
		t.Errorf("%v", n)
	}
	if count.last[1].Gauges["HealthyHostCount"] != 2 || len(count.last) != 2 {
		t.Errorf("%v", count.last)
	}
	m.set(f, nil, nil)
	eventually(t, "the workers are gone", func() bool { return len(m.alive()) == 0 })
}

// A client's TLS session is resumed whichever worker it comes to.
func TestSessionsAreShared(t *testing.T) {
	m := newMachine(t)
	f, _ := m.newFleet()
	certificate, key := testCertificate(t)
	b, g := configuration(target(t, "one"))
	l := &b[0].Listeners[0]
	l.Protocol, l.SSLPolicy = "HTTPS", "ELBSecurityPolicy-TLS13-1-2-2021-06"
	l.Certificates = []desired.Certificate{certificate}
	m.keys = map[desired.SecretID]secret.Text{certificate.KeyID: key}
	m.set(f, b, g)
	config := &tls.Config{InsecureSkipVerify: true, ServerName: "example.com", ClientSessionCache: tls.NewLRUClientSessionCache(1), MaxVersion: tls.VersionTLS12}
	const connections = 32 // all with one worker: once in 2^31 runs
	for i := range connections {
		c, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", m.port), config)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		if resumed := c.ConnectionState().DidResume; resumed != (i > 0) {
			t.Errorf("connection %d: resumed %t", i, resumed)
		}
	}
}

// A worker that dies is replaced, by one that knows what the others know. What
// the dead one counted is not lost.
func TestWorkerDies(t *testing.T) {
	m := newMachine(t)
	f, _ := m.newFleet()
	b, g := configuration(target(t, "one"))
	m.set(f, b, g)
	healthy(t, f, 1)
	for range 10 {
		if _, err := m.get(); err != nil {
			t.Fatal(err)
		}
	}
	var count measured
	counted := func(n float64) func() bool {
		return func() bool {
			count.more(t, f)
			return count.group["RequestCount"] == n
		}
	}
	eventually(t, "all are counted", counted(10))
	victims := m.alive()
	for _, p := range victims {
		p.Kill()
		<-p.ended
	}
	eventually(t, "there are two others", func() bool {
		return len(slices.DeleteFunc(m.alive(), func(p *process) bool { return slices.Contains(victims, p) })) == 2
	})
	eventually(t, "it serves", func() bool { answer, err := m.get(); return err == nil && answer == "200 one" })
	eventually(t, "all are counted", counted(11))
	if n := count.group["UnhealthyRoutingRequestCount"]; n != 0 {
		t.Errorf("%v requests failed open", n)
	}
}

// Workers serve without a fleet, and the next one finds them and what was known
// of targets: nobody fails meanwhile.
func TestFleetIsReplaced(t *testing.T) {
	m := newMachine(t)
	f, end := m.newFleet()
	sick := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }))
	t.Cleanup(sick.Close)
	b, g := configuration(target(t, "one"), sick.Listener.Addr().String())
	g[0].Group.UnhealthyThresholdCount = new(int32(1))
	m.set(f, b, g)
	healthy(t, f, 1)
	eventually(t, "one is unhealthy", func() bool { reports, _ := f.Health(); return len(reports) == 2 })
	before := m.alive()
	end()
	serves := func(when string) {
		t.Helper()
		for range 20 {
			if answer, err := m.get(); err != nil || answer != "200 one" {
				t.Fatalf("%s: %q %v", when, answer, err)
			}
		}
	}
	serves("without a fleet")
	next, _ := m.newFleet()
	m.set(next, b, g)
	serves("with the next")
	reports, _ := next.Health()
	if len(reports) != 2 {
		t.Errorf("the next does not know what the first knew: %+v", reports)
	}
	if !slices.Equal(before, m.alive()) {
		t.Error("the workers are others")
	}
}

// Workers that are not as they should be are replaced, and their clients do not
// notice.
func TestWorkersAreReplaced(t *testing.T) {
	m := newMachine(t)
	f, end := m.newFleet()
	b, g := configuration(target(t, "one"))
	m.set(f, b, g)
	healthy(t, f, 1)
	old := m.alive()
	end()
	m.mu.Lock()
	m.mu.build = "next"
	m.mu.Unlock()
	stop, failed := make(chan struct{}), make(chan error, 1)
	var load sync.WaitGroup
	load.Go(func() {
		kept := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
		defer kept.CloseIdleConnections()
		for {
			select {
			case <-stop:
				return
			default:
			}
			// A POST is not tried again on another connection.
			r, err := kept.Post(fmt.Sprintf("http://127.0.0.1:%d/", m.port), "text/plain", strings.NewReader("x"))
			if err != nil {
				failed <- err
				return
			}
			io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
	})
	next, _ := m.newFleet()
	m.set(next, b, g)
	for _, p := range old {
		<-p.ended
	}
	close(stop)
	load.Wait()
	select {
	case err := <-failed:
		t.Error(err)
	default:
	}
	if n := len(m.alive()); n != 2 {
		t.Errorf("%d workers", n)
	}
}

// A worker that does not answer is killed, and replaced.
func TestWorkerDoesNotAnswer(t *testing.T) {
	m := newMachine(t)
	m.timeout = 100 * time.Millisecond
	m.mu.silent = true
	f, _ := m.newFleet()
	b, g := configuration(target(t, "one"))
	m.set(f, b, g)
	m.mu.Lock()
	m.mu.silent = false
	silent := slices.Clone(m.mu.running)
	m.mu.Unlock()
	for _, p := range silent {
		<-p.ended
	}
	healthy(t, f, 1)
	eventually(t, "others serve", func() bool { answer, err := m.get(); return err == nil && answer == "200 one" })
}

// What no worker can do is told once. Workers that cannot be started are told
// too, and the rest is done.
func TestWhatCannotBeDone(t *testing.T) {
	m := newMachine(t)
	f, _ := m.newFleet()
	b, g := configuration(target(t, "one"))
	m.mu.Lock()
	m.mu.failing = errors.New("too many processes")
	m.mu.Unlock()
	if err := f.Set(t.Context(), b, g, nil); err == nil || !strings.Contains(err.Error(), "too many processes") {
		t.Error(err)
	}
	m.mu.Lock()
	m.mu.failing = nil
	m.mu.Unlock()
	b[0].Listeners = append(b[0].Listeners, desired.BalancerListener{ARN: "arn:odd", Protocol: "HTTP", Port: 80})
	b[0].Listeners[1].Rules = []desired.BalancerRule{{ARN: "arn:bad", Priority: "1", Conditions: []elbv2.RuleCondition{{Field: new("moon-phase")}}}}
	err := f.Set(t.Context(), b, g, nil)
	if err == nil || strings.Count(err.Error(), "moon-phase") != 1 {
		t.Error(err)
	}
}
