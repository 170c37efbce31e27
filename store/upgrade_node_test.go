package store_test

import (
	"maps"
	"testing"

	"fargo/record"
	"fargo/store"
)

// TestNodesGetStates opens what a version kept that knew neither states of nodes nor
// nodes of interfaces: all load balancers were on the first node, which goes on.
func TestNodesGetStates(t *testing.T) {
	journal := store.NewMemory()
	for key, value := range map[string]string{
		"node/1a2b": `{"ID":"1a2b","RegisteredAt":"2026-11-01T00:00:00Z"}`,
		"elbloadbalancer/arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/1": `{"LoadBalancer":{"LoadBalancerArn":"arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/1"},
			"Interfaces":[{"id":"eni-1","address":"172.31.0.5","prefix":"172.31.0.0/20"},{"id":"eni-2","address":"172.31.16.5","prefix":"172.31.16.0/20"}]}`,
	} {
		commit(t, journal, store.Write{Key: key, Value: []byte(value)})
	}
	for range 2 {
		view := open(t, journal).View()
		n, ok := store.Nodes.Get(view, "1a2b")
		if !ok || n.State != record.NodeActive || n.RegisteredAt.IsZero() {
			t.Fatalf("node: %+v", n)
		}
		for lb := range store.ELBLoadBalancers.All(view) {
			if want := map[string]string{"eni-1": "1a2b", "eni-2": "1a2b"}; !maps.Equal(lb.Nodes, want) {
				t.Errorf("interfaces are on %v", lb.Nodes)
			}
		}
	}
}
