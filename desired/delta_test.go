package desired

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"fargo"
)

var desireds = rapid.Custom(func(t *rapid.T) State {
	var d State
	for i := range 5 {
		if rapid.Bool().Draw(t, "task") {
			d.Tasks = append(d.Tasks, Assignment{
				TaskARN: fmt.Sprint("task/", i), ID: fmt.Sprint(i),
				DesiredStatus: rapid.SampledFrom([]fargo.TaskStatus{fargo.TaskRunning, fargo.TaskStopped}).Draw(t, "status"),
			})
		}
		if rapid.Bool().Draw(t, "vpc") {
			d.VPCs = append(d.VPCs, VPC{
				ID:     fmt.Sprint("vpc-", i),
				Groups: []SecurityGroup{{ID: rapid.SampledFrom([]string{"sg-1", "sg-2"}).Draw(t, "group")}},
			})
		}
		if rapid.Bool().Draw(t, "balancer") {
			d.Balancers = append(d.Balancers, Balancer{
				ARN:       fmt.Sprint("loadbalancer/", i),
				Listeners: []BalancerListener{{Port: rapid.SampledFrom([]uint16{80, 81}).Draw(t, "port")}},
			})
		}
		if rapid.Bool().Draw(t, "group of targets") {
			d.Groups = append(d.Groups, BalancerGroup{
				ARN:     fmt.Sprint("targetgroup/", i),
				Targets: []BalancerTarget{{ID: "10.0.0.1", Draining: rapid.Bool().Draw(t, "draining")}},
			})
		}
		if rapid.Bool().Draw(t, "record") {
			d.Records = append(d.Records, Record{
				Name: fmt.Sprint("name-", i/2), VPC: fmt.Sprint("vpc-", i),
				Addresses: []netip.Addr{netip.AddrFrom4([4]byte{10, 0, 0, rapid.Byte().Draw(t, "address")})},
			})
		}
		if rapid.Bool().Draw(t, "flow log") {
			d.FlowLogs = append(d.FlowLogs, FlowLog{
				ID: fmt.Sprint("fl-", i), Traffic: rapid.SampledFrom([]FlowTraffic{FlowAll, FlowRejected}).Draw(t, "traffic"),
			})
		}
		if rapid.Bool().Draw(t, "session") {
			d.ExecSessions = append(d.ExecSessions, ExecSession{ID: fmt.Sprint("ecs-execute-command-", i), Begun: rapid.Bool().Draw(t, "begun")})
		}
		if rapid.Bool().Draw(t, "logged") {
			d.Logged = append(d.Logged, LoggedInterface{
				ID: fmt.Sprint("eni-", i), FlowLogs: []string{rapid.SampledFrom([]string{"fl-1", "fl-2"}).Draw(t, "by")},
			})
		}
	}
	return d
})

// Whatever the node had, a delta leads it to what the plane wants.
func TestDeltaLeadsToNext(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old, next := desireds.Draw(t, "old"), desireds.Draw(t, "next")
		d := Diff(old, next)
		got := Apply(old, &d)
		inOrder(&got)
		inOrder(&next)
		if !equal(got, next) {
			t.Fatalf("got %+v, want %+v", got, next)
		}
		inOrder(&old)
		if Empty(&d) != equal(old, next) {
			t.Fatalf("difference %+v between %+v and %+v", d, old, next)
		}
	})
}

func inOrder(d *State) {
	slices.SortFunc(d.Tasks, func(a, b Assignment) int { return strings.Compare(a.TaskARN, b.TaskARN) })
	slices.SortFunc(d.VPCs, func(a, b VPC) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(d.Balancers, func(a, b Balancer) int { return strings.Compare(a.ARN, b.ARN) })
	slices.SortFunc(d.Groups, func(a, b BalancerGroup) int { return strings.Compare(a.ARN, b.ARN) })
	slices.SortFunc(d.FlowLogs, func(a, b FlowLog) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(d.Logged, func(a, b LoggedInterface) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(d.ExecSessions, func(a, b ExecSession) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(d.Records, func(a, b Record) int { return strings.Compare(a.VPC, b.VPC) })
}

// equal takes a list that is empty for one that is not there.
func equal(a, b State) bool { return cmp.Equal(a, b, cmpopts.EquateEmpty(), addresses) }

var addresses = cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{}, netip.Prefix{})
