//go:build e2e

package kernel

import (
	"fmt"
	"net/netip"
	"testing"

	"fargo/desired"
	"fargo/host"
)

// crowd is a VPC with n interfaces in one group, whose members may reach each
// other, as a default security group has it.
func crowd(n int) host.Network {
	network := host.Network{VPCs: []desired.VPC{{ID: "vpc-1", CIDRs: []netip.Prefix{vpcCIDR}, Groups: []desired.SecurityGroup{{
		ID: "sg-1", Egress: allowAll, Ingress: []desired.Rule{{Protocol: "-1", Group: "sg-1"}, tcp(80, "0.0.0.0/0")},
	}}}}}
	for i := range n {
		network.Interfaces = append(network.Interfaces, eni(i+4, "vpc-1", "sg-1"))
	}
	return members(network)
}

// BenchmarkAddOne adds the 101st interface.
func BenchmarkAddOne(b *testing.B) { benchmarkAdd(b, 100, 1) }

// BenchmarkAddFifty adds 50 at once.
func BenchmarkAddFifty(b *testing.B) { benchmarkAdd(b, 0, 50) }

func benchmarkAdd(b *testing.B, had, more int) {
	n := newTestNetwork(b, "b001")
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		apply(b, n, crowd(had))
		grown := crowd(had + more)
		for j := range grown.Interfaces[had:] {
			grown.Interfaces[had+j].ID += fmt.Sprintf("-%d", i) // no interface comes twice
		}
		b.StartTimer()
		apply(b, n, grown)
	}
}

// BenchmarkRemoveFifty removes 50 at once.
func BenchmarkRemoveFifty(b *testing.B) {
	n := newTestNetwork(b, "b002")
	for b.Loop() {
		b.StopTimer()
		apply(b, n, crowd(50))
		b.StartTimer()
		apply(b, n, crowd(0))
	}
}

// BenchmarkAdopt is the first Set of a new process, with 100 interfaces there.
func BenchmarkAdopt(b *testing.B) {
	n := newTestNetwork(b, "b003")
	apply(b, n, crowd(100))
	for b.Loop() {
		n.mu.applied = nil
		apply(b, n, crowd(100))
	}
}

// BenchmarkAddGroup adds the 101st task's control groups.
func BenchmarkAddGroup(b *testing.B) {
	c := newTestCgroups(b)
	var tasks []host.TaskCgroup
	for i := range 101 {
		tasks = append(tasks, host.TaskCgroup{TaskID: fmt.Sprintf("task-%d", i), CPU: 256, Memory: 512})
	}
	for b.Loop() {
		b.StopTimer()
		if err := c.Set(b.Context(), tasks[:100]); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := c.Set(b.Context(), tasks); err != nil {
			b.Fatal(err)
		}
	}
}

// many is 50 VPCs with 10 groups and one interface each, all of which name each other.
func many() host.Network {
	var n host.Network
	for v := range 50 {
		vpc := desired.VPC{ID: fmt.Sprintf("vpc-%d", v), CIDRs: []netip.Prefix{vpcCIDR}}
		for g := range 10 {
			vpc.Groups = append(vpc.Groups, desired.SecurityGroup{ID: fmt.Sprintf("sg-%d-%d", v, g), Egress: allowAll, Ingress: []desired.Rule{
				tcp(80, "0.0.0.0/0"), {Protocol: "-1", Group: fmt.Sprintf("sg-%d-%d", v, (g+1)%10)},
			}})
		}
		n.VPCs = append(n.VPCs, vpc)
		n.Interfaces = append(n.Interfaces, eni(4+v, vpc.ID, vpc.Groups[0].ID, vpc.Groups[1].ID))
	}
	return n
}

// BenchmarkAddOneAmongMany adds an interface where there are 50 VPCs and 500 groups.
func BenchmarkAddOneAmongMany(b *testing.B) {
	n := newTestNetwork(b, "b004")
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		apply(b, n, members(many()))
		grown := many()
		e := eni(100, "vpc-7", "sg-7-0", "sg-7-1")
		e.ID += fmt.Sprintf("-%d", i)
		grown.Interfaces = append(grown.Interfaces, e)
		grown = members(grown)
		b.StartTimer()
		apply(b, n, grown)
	}
}

// BenchmarkPlanAmongMany decides what adding an interface to 50 VPCs and 500 groups
// takes, without doing it.
func BenchmarkPlanAmongMany(b *testing.B) {
	cfg, err := Config{Instance: "b005"}.withDefaults()
	if err != nil {
		b.Fatal(err)
	}
	had, grown := members(many()), many()
	grown.Interfaces = append(grown.Interfaces, eni(100, "vpc-7", "sg-7-0", "sg-7-1"))
	grown = members(grown)
	links := chooseUplinks(cfg.Instance, had.VPCs, nil, nil)
	prev, _ := newLayout(cfg, nil, had, links)
	for b.Loop() {
		next, _ := newLayout(cfg, prev, grown, links)
		makePlan(cfg, prev, next, nil)
	}
}
