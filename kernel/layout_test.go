package kernel

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fargo/desired"
	"fargo/host"
)

// Uplinks are kept, never shared, and never somebody else's.
func TestUplinksAreUnique(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Uint32Range(0, 40) // few, so that they meet
		taken := map[netip.Addr]bool{}
		for _, n := range rapid.SliceOf(number).Draw(t, "taken") {
			taken[uplinkNumber(n).machine] = true
		}
		var vpcs []desired.VPC
		have := map[string]uplink{}
		kept := map[uplink]bool{}
		for i := range rapid.IntRange(0, 30).Draw(t, "vpcs") {
			id := fmt.Sprintf("vpc-%d", i)
			vpcs = append(vpcs, desired.VPC{ID: id})
			if l := uplinkNumber(number.Draw(t, "uplink")); !kept[l] && !taken[l.machine] && rapid.Bool().Draw(t, "has one") {
				have[id] = l
				kept[l] = true
			}
		}
		got := chooseUplinks("1a2b", vpcs, have, taken)
		if len(got) != len(vpcs) {
			t.Errorf("%d pairs for %d VPCs", len(got), len(vpcs))
		}
		seen := map[uplink]string{}
		for id, l := range got {
			if other, twice := seen[l]; twice {
				t.Errorf("%s and %s share %v", id, other, l)
			}
			seen[l] = id
			if old, ok := have[id]; ok && old != l {
				t.Errorf("%s had %v and now has %v", id, old, l)
			}
			if taken[l.machine] || taken[l.router] {
				t.Errorf("%s has %v, which is taken", id, l)
			}
			if back, ok := uplinkOf(l.router); !ok || back != l {
				t.Errorf("%v is not found by its router's address, but %v", l, back)
			}
		}
	})
}

func TestNamesFit(t *testing.T) {
	cfg, err := Config{Instance: "1a2b"}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for i := range 4000 {
		id := fmt.Sprintf("eni-%017x", i)
		name := cfg.portName(id)
		if len(name) != 15 || !strings.HasPrefix(name, "fg1a2b-") {
			t.Fatalf("%s is called %q", id, name)
		}
		if other, twice := names[name]; twice {
			t.Errorf("%s and %s are both called %s", id, other, name)
		}
		names[name] = id
	}
	if name := cfg.uplinkName(uplinkNumber(uplinkCount - 1)); name != "fg1a2b-a9fefffe" {
		t.Errorf("the last uplink is called %q", name)
	}
	for _, instance := range []string{"", "1a2", "1A2B", "1a2bc", "../a", "xyzw"} {
		if _, err := (Config{Instance: instance}).withDefaults(); err == nil {
			t.Errorf("instance %q was accepted", instance)
		}
	}
}

// What a plan does to get from one network to another does not depend on the
// order in which they list things, and nothing is done to stay.
func TestPlansIgnoreOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		network := randomNetwork(t)
		shuffled := network
		shuffled.Interfaces = rapid.Permutation(network.Interfaces).Draw(t, "interfaces")
		shuffled.VPCs = rapid.Permutation(network.VPCs).Draw(t, "vpcs")
		links := map[string]uplink{}
		for i, v := range network.VPCs {
			links[v.ID] = uplinkNumber(uint32(i))
		}
		cfg := Config{Instance: "1a2b"}
		one, refused := newLayout(cfg, nil, network, links)
		if len(refused) > 0 {
			t.Fatal(refused)
		}
		other, refused := newLayout(cfg, nil, shuffled, links)
		if len(refused) > 0 {
			t.Fatal(refused)
		}
		if p := makePlan(cfg, one, other, nil); len(p) != 0 {
			t.Errorf("to stay as it is: %s", p)
		}
		if a, b := makePlan(cfg, nil, one, nil).String(), makePlan(cfg, nil, other, nil).String(); a != b {
			t.Errorf("%s\nand in another order\n%s", a, b)
		}
	})
}

// randomNetwork draws a small network in which much is shared.
func randomNetwork(t *rapid.T) host.Network {
	var n host.Network
	rule := rapid.Custom(func(t *rapid.T) desired.Rule {
		r := desired.Rule{Protocol: rapid.SampledFrom([]string{"tcp", "udp", "icmp", "-1", "47"}).Draw(t, "protocol")}
		r.FromPort = rapid.IntRange(0, 200).Draw(t, "from")
		r.ToPort = rapid.IntRange(r.FromPort, 200).Draw(t, "to")
		if rapid.Bool().Draw(t, "cidr") {
			r.CIDR = rapid.SampledFrom([]netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("10.0.0.0/9"), netip.MustParsePrefix("10.0.0.4/32")}).Draw(t, "peer")
		} else {
			r.Group = rapid.SampledFrom([]string{"sg-a", "sg-b", "sg-c", "sg-d"}).Draw(t, "peer")
		}
		return r
	})
	groups := []string{"sg-a", "sg-b", "sg-c"}
	for v := range rapid.IntRange(0, 2).Draw(t, "vpcs") {
		vpc := desired.VPC{ID: fmt.Sprintf("vpc-%d", v), CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}}
		if rapid.Bool().Draw(t, "second cidr") {
			vpc.CIDRs = append(vpc.CIDRs, netip.MustParsePrefix("10.1.0.0/16"))
		}
		for _, id := range groups {
			vpc.Groups = append(vpc.Groups, desired.SecurityGroup{
				ID:      id,
				Ingress: rapid.SliceOfN(rule, 0, 3).Draw(t, "ingress"), Egress: rapid.SliceOfN(rule, 0, 3).Draw(t, "egress"),
			})
		}
		n.VPCs = append(n.VPCs, vpc)
		for i := range byte(5) {
			if !rapid.Bool().Draw(t, "there") {
				continue
			}
			n.Interfaces = append(n.Interfaces, desired.Interface{
				ID: fmt.Sprintf("eni-%d-%d", v, i), VPC: vpc.ID,
				Address: netip.AddrFrom4([4]byte{10, 0, 0, 4 + i}), Prefix: netip.MustParsePrefix("10.0.0.0/20"),
				MAC:      fmt.Sprintf("02:00:00:00:00:%02x", i),
				Groups:   slices.Compact(slices.Sorted(slices.Values(rapid.SliceOfN(rapid.SampledFrom(groups), 1, 3).Draw(t, "groups")))),
				Internet: rapid.Bool().Draw(t, "internet"),
			})
		}
	}
	return members(n)
}
