package elbv2_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fargo"
	"fargo/api"
	"fargo/api/ec2"
	"fargo/api/elbv2"
	wire "fargo/aws/elbv2"
	"fargo/store"
)

// fixture is an account with three load balancers, four groups and whatever the
// test does to them.
type fixture struct {
	db      *store.DB
	s       *elbv2.Server
	ctx     context.Context
	subnets []string
	lbs     []string
	groups  []string
}

func newFixture(t *rapid.T) *fixture {
	db, err := store.Open(context.Background(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	h := &fixture{db: db, s: elbv2.New(elbv2.Config{DB: db, Public: public})}
	h.ctx = api.WithCall(context.Background(), &api.Call{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion})
	if err := ec2.EnsureDefaults(h.ctx, db, nil, fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}); err != nil {
		t.Fatal(err)
	}
	vpc := ""
	for s := range store.EC2Subnets.All(db.View()) {
		h.subnets, vpc = append(h.subnets, *s.Subnet.SubnetId), *s.Subnet.VpcId
	}
	for i := range 3 {
		out, err := h.s.CreateLoadBalancer(h.ctx, &wire.CreateLoadBalancerInput{Name: new(fmt.Sprintf("lb%d", i)), Subnets: h.subnets[:2]})
		if err != nil {
			t.Fatal(err)
		}
		h.lbs = append(h.lbs, *out.LoadBalancers[0].LoadBalancerArn)
	}
	for i := range 4 {
		out, err := h.s.CreateTargetGroup(h.ctx, &wire.CreateTargetGroupInput{
			Name: new(fmt.Sprintf("g%d", i)), Protocol: wire.ProtocolEnumHttp, Port: new(int32(80)), VpcId: &vpc, TargetType: wire.TargetTypeEnumIp,
		})
		if err != nil {
			t.Fatal(err)
		}
		h.groups = append(h.groups, *out.TargetGroups[0].TargetGroupArn)
	}
	return h
}

// TestInvariants does anything in any order, and holds after each step: a group
// is used by one load balancer at most, priorities are unique in a listener, a
// target has one row, a load balancer has the interfaces it shows and no others
// are left, and no two share an address.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newFixture(t)
		defer h.db.Close()
		pick := func(of []string, label string) *string {
			if len(of) == 0 {
				t.Skip("none")
			}
			return new(rapid.SampledFrom(of).Draw(t, label))
		}
		action := func() []wire.Action {
			return []wire.Action{{Type: wire.ActionTypeEnumForward, TargetGroupArn: pick(h.groups, "group")}}
		}
		priority := func() *int32 { return new(rapid.Int32Range(1, 5).Draw(t, "priority")) }
		targets := func() []wire.TargetDescription {
			return []wire.TargetDescription{{Id: new(fmt.Sprintf("172.31.0.%d", rapid.IntRange(1, 3).Draw(t, "host"))), Port: priority()}}
		}
		// Errors are as good as answers here: what must hold, holds either way.
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) { h.check(t) },
			"create listener": func(*rapid.T) {
				h.s.CreateListener(h.ctx, &wire.CreateListenerInput{LoadBalancerArn: pick(h.lbs, "lb"), Protocol: wire.ProtocolEnumHttp, Port: priority(), DefaultActions: action()})
			},
			"modify listener": func(*rapid.T) {
				h.s.ModifyListener(h.ctx, &wire.ModifyListenerInput{ListenerArn: pick(h.listeners(), "listener"), Port: priority(), DefaultActions: action()})
			},
			"delete listener": func(*rapid.T) {
				h.s.DeleteListener(h.ctx, &wire.DeleteListenerInput{ListenerArn: pick(h.listeners(), "listener")})
			},
			"create rule": func(*rapid.T) {
				h.s.CreateRule(h.ctx, &wire.CreateRuleInput{
					ListenerArn: pick(h.listeners(), "listener"), Priority: priority(), Actions: action(),
					Conditions: []wire.RuleCondition{{Field: new("path-pattern"), Values: []string{"/a"}}},
				})
			},
			"set priorities": func(*rapid.T) {
				h.s.SetRulePriorities(h.ctx, &wire.SetRulePrioritiesInput{RulePriorities: []wire.RulePriorityPair{
					{RuleArn: pick(h.rules(), "rule"), Priority: priority()}, {RuleArn: pick(h.rules(), "rule"), Priority: priority()},
				}})
			},
			"modify rule": func(*rapid.T) {
				h.s.ModifyRule(h.ctx, &wire.ModifyRuleInput{RuleArn: pick(h.rules(), "rule"), Actions: action()})
			},
			"register": func(*rapid.T) {
				h.s.RegisterTargets(h.ctx, &wire.RegisterTargetsInput{TargetGroupArn: pick(h.groups, "group"), Targets: targets()})
			},
			"deregister": func(*rapid.T) {
				h.s.DeregisterTargets(h.ctx, &wire.DeregisterTargetsInput{TargetGroupArn: pick(h.groups, "group"), Targets: targets()})
			},
			"delete group": func(*rapid.T) {
				h.s.DeleteTargetGroup(h.ctx, &wire.DeleteTargetGroupInput{TargetGroupArn: pick(h.groups, "group")})
			},
			"move": func(*rapid.T) {
				h.s.SetSubnets(h.ctx, &wire.SetSubnetsInput{LoadBalancerArn: pick(h.lbs, "lb"), Subnets: rapid.Permutation(h.subnets).Draw(t, "subnets")[:2]})
			},
			"delete load balancer": func(*rapid.T) {
				h.s.DeleteLoadBalancer(h.ctx, &wire.DeleteLoadBalancerInput{LoadBalancerArn: pick(h.lbs, "lb")})
			},
		})
	})
}

func (h *fixture) listeners() []string {
	var out []string
	for l := range store.ELBListeners.All(h.db.View()) {
		out = append(out, l.Key())
	}
	return out
}

func (h *fixture) rules() []string {
	var out []string
	for r := range store.ELBRules.All(h.db.View()) {
		out = append(out, r.Key())
	}
	return out
}

func (h *fixture) check(t *rapid.T) {
	view := h.db.View()
	for g := range store.ELBTargetGroups.All(view) {
		if lbs := store.LoadBalancersOfGroup(view, g.Key()); len(lbs) > 1 {
			t.Fatalf("group %s is used by %q", g.Key(), lbs)
		}
	}
	priorities := map[string]bool{}
	for r := range store.ELBRules.All(view) {
		key := fmt.Sprint(r.Listener, r.Priority)
		if _, ok := store.ELBListeners.Get(view, r.Listener); !ok || priorities[key] || fmt.Sprint(r.Priority) != *r.Rule.Priority {
			t.Fatalf("rule %s is orphaned or has another's priority, or two", r.Key())
		}
		priorities[key] = true
	}
	ports := map[string]bool{}
	for l := range store.ELBListeners.All(view) {
		key := fmt.Sprint(*l.Listener.LoadBalancerArn, *l.Listener.Port)
		if _, ok := store.ELBLoadBalancers.Get(view, *l.Listener.LoadBalancerArn); !ok || ports[key] {
			t.Fatalf("listener %s is orphaned or has another's port", l.Key())
		}
		ports[key] = true
	}
	for target := range store.ELBTargets.All(view) {
		if _, ok := store.ELBTargetGroups.Get(view, target.Group); !ok {
			t.Fatalf("target %s has no group", target.Key())
		}
	}
	h.checkInterfaces(t)
}

func (h *fixture) checkInterfaces(t *rapid.T) {
	view := h.db.View()
	var shown, kept []string
	for lb := range store.ELBLoadBalancers.All(view) {
		if len(lb.Interfaces) != len(lb.LoadBalancer.AvailabilityZones) {
			t.Fatalf("%s has %d interfaces in %d zones", lb.Key(), len(lb.Interfaces), len(lb.LoadBalancer.AvailabilityZones))
		}
		for n, i := range lb.Interfaces {
			if i.Subnet != *lb.LoadBalancer.AvailabilityZones[n].SubnetId {
				t.Fatalf("%s: interface %d is in another subnet than shown", lb.Key(), n)
			}
			shown = append(shown, i.ID+" "+i.Address.String())
		}
	}
	addresses := map[string]bool{}
	for i := range store.EC2NetworkInterfaces.All(view) {
		kept = append(kept, *i.Interface.NetworkInterfaceId+" "+i.Address().String())
		if addresses[i.Address().String()] {
			t.Fatalf("two interfaces have the address %s", i.Address())
		}
		addresses[i.Address().String()] = true
	}
	slices.Sort(shown)
	slices.Sort(kept)
	if !slices.Equal(shown, kept) {
		t.Fatalf("load balancers show %q, EC2 has %q", shown, kept)
	}
}
