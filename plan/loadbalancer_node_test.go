package plan

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fargo/aws/elbv2"
	"fargo/desired"
	"fargo/record"
)

// TestPlaceInterfaces holds of any load balancer and any nodes: who has an active node
// keeps it; whoever has none gets one if there is one; interfaces that are placed
// together are where they reach each other; and the order of the nodes says nothing.
func TestPlaceInterfaces(t *testing.T) {
	states := []record.NodeState{record.NodeActive, record.NodeActive, record.NodeDraining, record.NodeLost, record.NodeGone}
	zones := []string{"a", "b", "c"}
	rapid.Check(t, func(t *rapid.T) {
		v := InterfaceView{Targets: map[string]int{}, Interfaces: map[string]int{}}
		byID, active := map[string]*record.Node{}, 0
		for i := range rapid.IntRange(0, 6).Draw(t, "nodes") {
			n := &record.Node{ID: fmt.Sprint("n", i), State: rapid.SampledFrom(states).Draw(t, "state")}
			n.Hello.Zone = rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "zone")
			n.Hello.Network = rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "network")
			v.Nodes, byID[n.ID] = append(v.Nodes, n), n
			v.Targets[n.ID], v.Interfaces[n.ID] = rapid.IntRange(0, 2).Draw(t, "targets"), rapid.IntRange(0, 2).Draw(t, "interfaces")
			if n.Active() {
				active++
			}
		}
		lb := &record.ELBLoadBalancer{Nodes: map[string]string{}}
		for _, z := range zones {
			lb.LoadBalancer.AvailabilityZones = append(lb.LoadBalancer.AvailabilityZones, elbv2.AvailabilityZone{ZoneName: new(z)})
			lb.Interfaces = append(lb.Interfaces, desired.Interface{ID: "eni-" + z})
			if n := rapid.SampledFrom([]string{"", "n0", "n1", "n9"}).Draw(t, "on"); n != "" {
				lb.Nodes["eni-"+z] = n
			}
		}
		before := maps.Clone(lb.Nodes)
		placed := PlaceInterfaces(lb, v)
		if !maps.Equal(before, lb.Nodes) {
			t.Fatal("what was there has been changed")
		}
		fresh := true
		for _, i := range lb.Interfaces {
			old, now := byID[before[i.ID]], byID[placed[i.ID]]
			switch {
			case old != nil && old.Active():
				if fresh = false; now != old {
					t.Fatalf("%s leaves an active node", i.ID)
				}
			case active > 0:
				if now == nil || !now.Active() {
					t.Fatalf("%s is on %+v", i.ID, now)
				}
			case now != nil && (now != old || now.State != record.NodeDraining):
				t.Fatalf("%s is on %+v", i.ID, now)
			}
		}
		for _, a := range placed {
			for _, b := range placed {
				if fresh && active > 0 && !Reaches(byID[a], byID[b]) {
					t.Fatalf("%s and %s do not reach each other", a, b)
				}
			}
		}
		v.Nodes = rapid.Permutation(v.Nodes).Draw(t, "order")
		if again := PlaceInterfaces(lb, v); !maps.Equal(again, placed) {
			t.Fatalf("another order gives %v, not %v", again, placed)
		}
		lb.Nodes = placed
		if again := PlaceInterfaces(lb, v); !maps.Equal(again, placed) {
			t.Fatalf("it does not rest: %v, then %v", placed, again)
		}
	})
}

// TestInterfacesAreSpread holds that many interfaces come to all nodes that reach each
// other alike.
func TestInterfacesAreSpread(t *testing.T) {
	v := InterfaceView{Interfaces: map[string]int{}}
	for i := range 4 {
		n := &record.Node{ID: fmt.Sprint("n", i), State: record.NodeActive, Hello: desired.Hello{Network: "x"}}
		v.Nodes = append(v.Nodes, n)
	}
	for i := range 20 {
		lb := &record.ELBLoadBalancer{}
		for z := range 3 {
			lb.Interfaces = append(lb.Interfaces, desired.Interface{ID: fmt.Sprint("eni-", i, "-", z)})
		}
		for _, n := range PlaceInterfaces(lb, v) {
			v.Interfaces[n]++
		}
	}
	if counts := slices.Sorted(maps.Values(v.Interfaces)); len(counts) != 4 || counts[0] != counts[3] {
		t.Errorf("60 interfaces on 4 nodes: %v", v.Interfaces)
	}
}
