package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"fargo"
	"fargo/aws/ecs"
	"fargo/aws/elbv2"
	"fargo/desired"
	"fargo/record"
)

// TestNodeScenarios runs the scenarios in testdata/node. What comes of a command are
// the nodes with the tasks and interfaces that are on each, and what is on none. The
// commands:
//
//	hello NODE OPTION…    a session begins: machine=, zone=, network=
//	empty NODE            the node says that it holds nothing
//	silent NODE           its session ends
//	restart               the control plane ends and begins to listen anew
//	drain                 the machine is put away
//	run TASK…             new tasks are placed, if there is a node for them
//	stop TASK             a task is asked to stop
//	report TASK STATUS    its node speaks of it
//	balancer NAME ZONE…   a load balancer with an interface in each zone
//	tick TIME             time passes
func TestNodeScenarios(t *testing.T) {
	scenarios(t, "testdata/node", func() func(*testing.T, string) string { return newNodeSim().do })
}

// nodeSim is a few nodes with tasks and load balancers, and what the control plane's
// loops do to them.
type nodeSim struct {
	now       time.Time
	began     time.Time
	nodes     map[string]*record.Node
	contacts  map[string]*NodeContact
	tasks     []*record.Task
	balancers []*record.ELBLoadBalancer
}

func newNodeSim() *nodeSim {
	now := time.Unix(1_700_000_000, 0).UTC()
	return &nodeSim{now: now, began: now, nodes: map[string]*record.Node{}, contacts: map[string]*NodeContact{}}
}

func (s *nodeSim) do(t *testing.T, command string) string {
	words := strings.Fields(command)
	args := words[1:]
	switch words[0] {
	case "hello":
		s.hello(t, args)
	case "empty":
		s.contacts[args[0]].Empty = true
	case "silent":
		s.contacts[args[0]] = &NodeContact{LastSeen: s.now}
	case "restart":
		s.began, s.contacts = s.now, map[string]*NodeContact{}
	case "drain":
		for _, n := range s.nodes {
			if n.Active() {
				n.State = record.NodeDraining
			}
		}
	case "run":
		for _, id := range args {
			s.tasks = append(s.tasks, &record.Task{
				ID: id, Cluster: "c", Status: fargo.TaskProvisioning, Desired: fargo.TaskRunning,
				Intent: ecs.Task{Attachments: []ecs.Attachment{{}}},
			})
		}
	case "stop":
		c := s.task(args[0])
		c.Desired, c.StopCode, c.StoppedReason = fargo.TaskStopped, fargo.StopUserInitiated, "Task stopped by user"
	case "report":
		r := &desired.TaskReport{Status: fargo.TaskStatus(args[1])}
		if c := s.task(args[0]); Advances(c, r) {
			c.Report = r
		}
	case "balancer":
		lb := &record.ELBLoadBalancer{LoadBalancer: elbv2.LoadBalancer{LoadBalancerArn: &args[0]}}
		for _, zone := range args[1:] {
			lb.LoadBalancer.AvailabilityZones = append(lb.LoadBalancer.AvailabilityZones, elbv2.AvailabilityZone{ZoneName: &zone})
			lb.Interfaces = append(lb.Interfaces, desired.Interface{ID: args[0] + "-" + zone})
		}
		s.balancers = append(s.balancers, lb)
	case "tick":
		s.now = s.now.Add(duration(t, args[0]))
	default:
		t.Fatalf("unknown command %q", words[0])
	}
	return s.settle(t)
}

func (s *nodeSim) task(id string) *record.Task {
	return s.tasks[slices.IndexFunc(s.tasks, func(t *record.Task) bool { return t.ID == id })]
}

func (s *nodeSim) hello(t *testing.T, args []string) {
	h := desired.Hello{ID: args[0]}
	for _, o := range args[1:] {
		switch name, value, _ := strings.Cut(o, "="); name {
		case "machine":
			h.Machine = value
		case "zone":
			h.Zone = value
		case "network":
			h.Network = value
		default:
			t.Fatalf("unknown option %q", o)
		}
	}
	for _, n := range s.nodes {
		if Replaced(n, h) {
			n.State, n.Seen = record.NodeGone, s.now
		}
	}
	s.nodes[h.ID] = Registered(s.nodes[h.ID], h, s.now)
	s.contacts[h.ID] = &NodeContact{Connected: true}
}

// settle acts for every node, task and load balancer until nothing changes.
func (s *nodeSim) settle(t *testing.T) string {
	var next time.Time
	for range 20 {
		before := s.String()
		next = time.Time{}
		for _, id := range slices.Sorted(maps.Keys(s.nodes)) {
			at := s.act(s.nodes[id])
			if !at.IsZero() && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
		s.place()
		if s.String() == before {
			out := s.String()
			if !next.IsZero() {
				out += fmt.Sprintf("look again in %v\n", next.Sub(s.now))
			}
			return strings.TrimSpace(out)
		}
	}
	t.Fatalf("no rest:\n%s", s)
	return ""
}

func (s *nodeSim) act(n *record.Node) (next time.Time) {
	c := NodeContact{LastSeen: s.began}
	if known := s.contacts[n.ID]; known != nil {
		if c = *known; c.Connected {
			c.LastSeen = s.now
		}
	}
	busy := slices.ContainsFunc(s.tasks, func(t *record.Task) bool { return t.Node == n.ID && !t.Stopped() })
	action, next := NextNodeAction(n, c, busy, s.now)
	switch action {
	case NodeMarkLost:
		n.State, n.Seen = record.NodeLost, c.LastSeen
	case NodeStopTasks:
		for i, t := range s.tasks {
			if t.Node == n.ID && !t.Stopped() {
				s.tasks[i] = StopLost(t, s.now)
			}
		}
	case NodeActivate:
		n.State, n.Seen = record.NodeActive, s.now
	case NodeMarkGone:
		n.State, n.Seen = record.NodeGone, c.LastSeen
	case NodeDelete:
		s.tasks = slices.DeleteFunc(s.tasks, func(t *record.Task) bool { return t.Node == n.ID })
		delete(s.nodes, n.ID)
	}
	return next
}

// place gives tasks and interfaces their nodes.
func (s *nodeSim) place() {
	var active []string
	var all []*record.Node
	for _, id := range slices.Sorted(maps.Keys(s.nodes)) {
		all = append(all, s.nodes[id])
		if s.nodes[id].Active() {
			active = append(active, id)
		}
	}
	load, interfaces := map[string]int{}, map[string]int{}
	for _, t := range s.tasks {
		if t.Node != "" && !t.Stopped() {
			load[t.Node]++
		}
	}
	spread := NewSpread(active, maps.Clone(load))
	for _, t := range s.tasks {
		if t.Node == "" {
			if node, ok := spread.Place(t); ok {
				t.Node, t.Status = node, fargo.TaskPending
			}
		}
	}
	for _, lb := range s.balancers {
		for _, n := range lb.Nodes {
			interfaces[n]++
		}
	}
	for _, lb := range s.balancers {
		lb.Nodes = PlaceInterfaces(lb, InterfaceView{Nodes: all, Targets: load, Interfaces: interfaces})
	}
}

// String draws the nodes: each with its state, and what is on it.
func (s *nodeSim) String() string {
	var b strings.Builder
	for _, id := range append(slices.Sorted(maps.Keys(s.nodes)), "") {
		if n := s.nodes[id]; n != nil {
			fmt.Fprintf(&b, "%s %s\n", id, n.State)
		}
		for _, t := range s.tasks {
			switch {
			case t.Node != id:
			case t.Stopped():
				fmt.Fprintf(&b, "  %s STOPPED %s: %s\n", t.ID, t.StopCode, t.StoppedReason)
			default:
				fmt.Fprintf(&b, "  %s %s\n", t.ID, t.LastStatus())
			}
		}
		for _, lb := range s.balancers {
			for _, i := range lb.Interfaces {
				if lb.Nodes[i.ID] == id {
					fmt.Fprintf(&b, "  %s\n", strings.TrimSpace(i.ID+map[bool]string{true: " on none"}[id == ""]))
				}
			}
		}
	}
	if b.Len() == 0 {
		return "no nodes\n"
	}
	return b.String()
}
