package main

import (
	"net/netip"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fargo/containerd"
	"fargo/instance"
)

// The node is told all that the control plane was told of its machine, and a
// teardown finds it again.
func TestNodeGetsTheMachineFlags(t *testing.T) {
	var given, told cli
	for _, p := range []struct {
		into *cli
		args func() []string
	}{
		{&given, func() []string {
			return []string{
				"node", "--speed", "2.5", "--containerd", "/run/containerd.sock",
				"--allow-registry", "127.0.0.1:5000", "--allow-registry", "registry.corp,[fd00::1]:5000", "--deny-registry", "10.0.0.0/8",
				"--public-range", "203.0.113.0/24", "--public-routed", "--data-channels", "127.0.0.1:4567",
			}
		}},
		{&told, func() []string { return nodeArgs(&instance.Instance{Dir: "/var/lib/fargo"}, given.Node.machineFlags) }},
	} {
		parser, err := kong.New(p.into, kong.Vars{"listen": defaultListen, "region": "us-east-1"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(p.args()); err != nil {
			t.Fatal(err)
		}
	}
	if len(given.Node.AllowRegistry) != 3 || len(given.Node.DenyRegistry) != 1 || !given.Node.PublicRouted || given.Node.PublicRange.Bits() != 24 {
		t.Fatalf("%+v", given.Node)
	}
	text := cmp.Options{
		cmp.Comparer(func(a, b containerd.HostPattern) bool { return a.String() == b.String() }),
		cmpopts.EquateComparable(netip.Prefix{}),
	}
	if d := cmp.Diff(given.Node.machineFlags, told.Node.machineFlags, text); d != "" {
		t.Error(d)
	}
	inst := &instance.Instance{Dir: t.TempDir()}
	if err := inst.SetMachineFlags(given.Node.machineFlags); err != nil {
		t.Fatal(err)
	}
	var kept machineFlags
	err := inst.MachineFlags(&kept)
	if d := cmp.Diff(given.Node.machineFlags, kept, text); err != nil || d != "" {
		t.Error(err, d)
	}
}
