package flowlog

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fargo/desired"
	"fargo/host"
)

var rewrite = flag.Bool("rewrite", false, "write the answers into the scripts")

// TestScripts runs the scripts in testdata: a command a line, and behind it, indented,
// the records that were written then. Times are those of a clock that begins at
// 2000-01-01, 946684800.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts (%v)", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			var got string
			synctest.Test(t, func(t *testing.T) { got = run(t, string(text)) })
			if *rewrite {
				if err := os.WriteFile(f, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if d := cmp.Diff(string(text), got); d != "" {
				t.Errorf("%s (run with -rewrite to accept):\n%s", f, d)
			}
		})
	}
}

// run runs a script and gives it with what was written.
func run(t *testing.T, script string) string {
	m := newMachine(t)
	m.start()
	defer func() { m.kill() }()
	var out strings.Builder
	for line := range strings.Lines(script) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "    ") {
			continue
		}
		fmt.Fprintln(&out, line)
		if words := strings.Fields(line); len(words) > 0 && words[0][0] != '#' {
			if err := m.do(words[0], words[1:]); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		}
		for _, w := range m.written() {
			fmt.Fprintln(&out, "    "+w)
		}
	}
	return out.String()
}

// machine is a node with routers, and a sink that outlives the writer.
type machine struct {
	t       *testing.T
	begun   time.Time
	state   desired.State
	routers map[string]*fakeRouter
	sink    *fakeSink
	writer  *Writer
	kill    func()
}

func newMachine(t *testing.T) *machine {
	return &machine{t: t, begun: time.Now(), routers: map[string]*fakeRouter{}, sink: &fakeSink{open: map[string]bool{}}}
}

// start runs a writer. One that is killed writes nothing more.
func (m *machine) start() {
	sink := &onceSink{fakeSink: m.sink}
	w := New(m, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := w.Run(ctx, sink); err != nil {
			m.t.Error(err)
		}
	}()
	m.writer = w
	m.kill = func() {
		sink.dead.Store(true)
		cancel()
		<-done
	}
}

// do carries out a command of a script.
func (m *machine) do(command string, args []string) error {
	switch command {
	case "vpc": // ID CIDR
		m.state.VPCs = append(m.state.VPCs, desired.VPC{
			ID: args[0], CIDRs: []netip.Prefix{netip.MustParsePrefix(args[1])},
			Subnets: []desired.Subnet{{ID: "subnet-1", RouteTable: "rtb-1"}},
			RouteTables: []desired.RouteTable{{ID: "rtb-1", Routes: []desired.Route{
				{To: netip.MustParsePrefix(args[1]), Target: desired.RouteLocal},
				{To: netip.MustParsePrefix("198.51.100.0/24"), Target: desired.RouteInternet},
				{To: netip.MustParsePrefix("192.0.2.0/24"), Target: desired.RouteService},
				{To: netip.MustParsePrefix("0.0.0.0/0"), Target: desired.RouteInternet, NAT: "nat-1"},
			}}},
		})
		m.routers[args[0]] = &fakeRouter{flows: map[uint32]*host.Flow{}}
	case "log": // ID VPC TRAFFIC INTERVAL [FIELD…]
		return m.addLog(args)
	case "interface": // ID VPC ADDRESS LOG,LOG… [public=ADDRESS] [task]
		m.addInterface(args)
	case "remove": // ID…, of anything
		gone := func(id string) bool { return slices.Contains(args, id) }
		m.state.VPCs = slices.DeleteFunc(m.state.VPCs, func(v desired.VPC) bool { return gone(v.ID) })
		m.state.FlowLogs = slices.DeleteFunc(m.state.FlowLogs, func(f desired.FlowLog) bool { return gone(f.ID) })
		m.state.Logged = slices.DeleteFunc(m.state.Logged, func(i desired.LoggedInterface) bool { return gone(i.ID) })
	case "follow":
		// The writer has its own copies of lists that later commands change.
		s := m.state
		s.VPCs, s.FlowLogs, s.Logged = slices.Clone(s.VPCs), slices.Clone(s.FlowLogs), slices.Clone(s.Logged)
		return m.writer.Follow(m.t.Context(), s)
	case "at": // DURATION since the beginning
		d, err := time.ParseDuration(args[0])
		if err != nil {
			return err
		}
		<-time.After(time.Until(m.begun.Add(d)))
	case "kill":
		m.kill()
		m.start()
	case "restart":
		m.sink.stopping.Store(true)
		m.kill()
		m.sink.stopping.Store(false)
		m.start()
	default:
		if err := m.traffic(command, args); err != nil {
			return err
		}
	}
	synctest.Wait()
	return nil
}

func (m *machine) addLog(args []string) error {
	interval, err := time.ParseDuration(args[3])
	fields := args[4:]
	if len(fields) == 0 {
		fields = strings.Fields("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status")
	}
	m.state.FlowLogs = append(m.state.FlowLogs, desired.FlowLog{
		ID: args[0], VPC: args[1], Traffic: desired.FlowTraffic(args[2]), Interval: interval, Fields: fields,
		Target: desired.LogTarget{Account: "123456789012", Region: "eu-west-1", Group: "/flows", Create: true},
	})
	return err
}

func (m *machine) addInterface(args []string) {
	i := desired.LoggedInterface{
		ID: args[0], VPC: args[1], Address: netip.MustParseAddr(args[2]), FlowLogs: strings.Split(args[3], ","),
		Subnet: "subnet-1", Account: "123456789012", ZoneID: "euw1-az1", Type: "interface",
	}
	for _, more := range args[4:] {
		if public, ok := strings.CutPrefix(more, "public="); ok {
			i.Public, i.Type = netip.MustParseAddr(public), "nat_gateway"
		} else {
			i.Task = &desired.LoggedTask{
				ARN:     "arn:aws:ecs:eu-west-1:123456789012:task/main/0123456789abcdef",
				Cluster: "arn:aws:ecs:eu-west-1:123456789012:cluster/main", Service: "web",
				Definition: "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7",
			}
		}
	}
	m.state.Logged = append(m.state.Logged, i)
}

// traffic carries out the commands about a router's traffic, the first word of which is
// the router's VPC.
func (m *machine) traffic(command string, args []string) error {
	r := m.routers[args[0]]
	if r == nil {
		return errors.New("no such router")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch args = args[1:]; command {
	case "begin": // ID PROTOCOL SOURCE DESTINATION [reply SOURCE DESTINATION]
		f := &host.Flow{ID: number[uint32](args[0]), Protocol: number[uint8](args[1]), Original: tuple(args[2], args[3])}
		f.Reply = host.Tuple{Source: f.Original.Destination, Destination: f.Original.Source}
		if len(args) > 4 {
			f.Reply = tuple(args[5], args[6])
		}
		r.flows[f.ID] = f
		begun := *f
		r.report(host.FlowEvent{Begun: &begun})
	case "carry": // ID PACKETS/BYTES PACKETS/BYTES
		f := r.flows[number[uint32](args[0])]
		f.Sent, f.Answered = more(f.Sent, args[1]), more(f.Answered, args[2])
	case "end": // ID
		id := number[uint32](args[0])
		ended := *r.flows[id]
		delete(r.flows, id)
		r.report(host.FlowEvent{Ended: &ended})
	case "unreported": // ID: it ends, and the report is lost
		delete(r.flows, number[uint32](args[0]))
		r.report(host.FlowEvent{Lost: true})
	case "reject": // in|out PROTOCOL SOURCE DESTINATION BYTES [FLAGS]
		e := &host.Rejection{Inbound: args[0] == "in", Protocol: number[uint8](args[1]), Tuple: tuple(args[2], args[3]), Bytes: number[uint64](args[4])}
		if len(args) > 5 {
			e.TCPFlags = number[uint8](args[5])
		}
		r.report(host.FlowEvent{Rejected: e})
	case "break": // the observer ends by itself
		r.stop()
	default:
		return errors.New("no such command")
	}
	return nil
}

func number[T uint8 | uint32 | uint64](s string) T {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		panic(err)
	}
	return T(n)
}

func tuple(from, to string) host.Tuple {
	return host.Tuple{Source: netip.MustParseAddrPort(from), Destination: netip.MustParseAddrPort(to)}
}

func more(had host.Traffic, amount string) host.Traffic {
	packets, bytes, _ := strings.Cut(amount, "/")
	return host.Traffic{Packets: had.Packets + number[uint64](packets), Bytes: had.Bytes + number[uint64](bytes)}
}

// written gives what was written since the last call, by name.
func (m *machine) written() []string {
	m.sink.mu.Lock()
	defer m.sink.mu.Unlock()
	all := m.sink.lines
	m.sink.lines = nil
	return all
}

type fakeSink struct {
	mu       sync.Mutex
	open     map[string]bool
	lines    []string
	stopping atomic.Bool // the writer may still write when it is killed
}

func (s *fakeSink) Open() (names []string, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.open {
		names = append(names, name)
	}
	return names, nil
}

func (s *fakeSink) Append(name string, target desired.LogTarget, events []desired.LogEvent) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[name] = true
	for _, e := range events {
		s.lines = append(s.lines, fmt.Sprintf("%s %s %d: %s", name, target.Stream, e.Timestamp/1000, e.Message))
	}
	return nil
}

func (s *fakeSink) Finish(name string, discard bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, name)
	s.lines = append(s.lines, fmt.Sprintf("%s is finished, discarded without a stream: %v", name, discard))
	return nil
}

// onceSink is a sink that takes nothing from a writer that is dead.
type onceSink struct {
	*fakeSink
	dead atomic.Bool
}

func (s *onceSink) Append(name string, target desired.LogTarget, events []desired.LogEvent) error {
	if s.dead.Load() && !s.stopping.Load() {
		return errors.New("killed")
	}
	return s.fakeSink.Append(name, target, events)
}

// fakeRouter is a router with at most one observer.
type fakeRouter struct {
	mu     sync.Mutex
	flows  map[uint32]*host.Flow
	events chan host.FlowEvent // nil while nobody observes
}

// ObserveFlows implements [Network].
func (m *machine) ObserveFlows(vpc string) (host.FlowObserver, error) {
	r := m.routers[vpc]
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.events != nil {
		return nil, errors.New("is observed already")
	}
	r.events = make(chan host.FlowEvent)
	return r, nil
}

// report is called with r.mu held, and lets go of it meanwhile.
func (r *fakeRouter) report(e host.FlowEvent) {
	if events := r.events; events != nil {
		r.mu.Unlock()
		events <- e
		r.mu.Lock()
	}
}

func (r *fakeRouter) Events() <-chan host.FlowEvent {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.events
}

func (r *fakeRouter) Flows() (all []host.Flow, _ error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.flows {
		all = append(all, *f)
	}
	return all, nil
}

func (r *fakeRouter) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stop()
	r.events = nil
	return nil
}

func (r *fakeRouter) stop() {
	defer func() { _ = recover() }() // closed already
	close(r.events)
}
