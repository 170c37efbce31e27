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
