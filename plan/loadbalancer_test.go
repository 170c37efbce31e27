package plan

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fargo/aws/acm"
	"fargo/aws/elbv2"
	"fargo/desired"
	"fargo/record"
)

const elbARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:"

// elbWorld is a view of two load balancers, three groups of which one is in no
// use, and rules in all priorities.
func elbWorld() ELBView {
	var v ELBView
	for i, kind := range []elbv2.LoadBalancerTypeEnum{elbv2.LoadBalancerTypeEnumApplication, elbv2.LoadBalancerTypeEnumNetwork} {
		arn := fmt.Sprintf("%sloadbalancer/app/lb%d/1", elbARN, i)
		groups := []string{"sg-1"}
		if kind == elbv2.LoadBalancerTypeEnumNetwork {
			groups = nil
		}
		v.LoadBalancers = append(v.LoadBalancers, &record.ELBLoadBalancer{
			LoadBalancer: elbv2.LoadBalancer{LoadBalancerArn: &arn, Type: kind, AvailabilityZones: []elbv2.AvailabilityZone{{ZoneName: new("a")}}},
			Interfaces:   []desired.Interface{{ID: fmt.Sprint("eni-", i), VPC: "vpc-1", Address: netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), Groups: groups}},
			Nodes:        map[string]string{fmt.Sprint("eni-", i): "n"},
		})
		for port := range int32(2) {
			l := fmt.Sprintf("%slistener/app/lb%d/1/%d", elbARN, i, port)
			v.Listeners = append(v.Listeners, &record.ELBListener{
				Listener: elbv2.Listener{
					ListenerArn: &l, LoadBalancerArn: &arn, Port: new(80 + port), Certificates: []elbv2.Certificate{{CertificateArn: new("c0")}},
					DefaultActions: []elbv2.Action{{Type: elbv2.ActionTypeEnumForward, TargetGroupArn: new(fmt.Sprint(elbARN, "targetgroup/g/", i))}},
				},
				Certificates: []string{"c1"},
			})
			for p := range 3 {
				v.Rules = append(v.Rules, &record.ELBRule{Listener: l, Priority: 10 + p, Rule: elbv2.Rule{RuleArn: new(fmt.Sprint(l, "/", p))}})
			}
		}
	}
	for i := range 3 {
		g := fmt.Sprint(elbARN, "targetgroup/g/", i)
		v.Groups = append(v.Groups, &record.ELBTargetGroup{TargetGroup: elbv2.TargetGroup{TargetGroupArn: &g, TargetType: elbv2.TargetTypeEnumIp}})
		for n, zone := range []string{"a", "b", "all", ""} {
			v.Targets = append(v.Targets, &record.ELBTarget{Group: g, ID: fmt.Sprint("10.0.1.", n), Port: 80, Zone: zone, RegisteredAt: time.Unix(int64(n), 0)})
		}
		v.Certificates = append(v.Certificates, &record.Certificate{Certificate: acm.CertificateDetail{CertificateArn: new(fmt.Sprint("c", i))}, Body: "body\n", Chain: "chain", PrivateKey: "key"})
	}
	return v
}

// TestBalancers holds what a node is told of a view.
func TestBalancers(t *testing.T) {
	balancers, groups := Balancers(elbWorld(), "n")
	if len(balancers) != 2 || len(groups) != 2 {
		t.Fatalf("%d balancers, %d groups", len(balancers), len(groups))
	}
	l := balancers[0].Listeners[0]
	var priorities []string
	for _, r := range l.Rules {
		priorities = append(priorities, r.Priority)
	}
	if !slices.Equal(priorities, []string{"10", "11", "12", "default"}) {
		t.Errorf("rules are tried in the order %q", priorities)
	}
	if len(l.Certificates) != 2 || l.Certificates[0] != (desired.Certificate{ARN: "c0", Chain: "body\nchain", KeyID: desired.CertificateKeyOf("body\nchain")}) {
		t.Errorf("certificates are %+v", l.Certificates)
	}
	var ids []string
	for _, target := range groups[0].Targets {
		ids = append(ids, target.ID)
	}
	if !slices.Equal(ids, []string{"10.0.1.0", "10.0.1.2", "10.0.1.3"}) { // not the one in zone b
		t.Errorf("targets are %q", ids)
	}
	if groups[0].Zonal || !groups[1].Zonal || !slices.Equal(balancers[1].Zones, []string{"a"}) {
		t.Errorf("zonal: %v of an application load balancer, %v of a network load balancer in zones %q", groups[0].Zonal, groups[1].Zonal, balancers[1].Zones)
	}
	if balancers[0].Name != "app/lb0/1" || groups[0].Name != "targetgroup/g/0" {
		t.Errorf("metrics call them %s and %s", balancers[0].Name, groups[0].Name)
	}
}

// TestBalancersOrder holds that the order of a view says nothing.
func TestBalancersOrder(t *testing.T) {
	balancers, groups := Balancers(elbWorld(), "n")
	rapid.Check(t, func(t *rapid.T) {
		v := elbWorld()
		v.LoadBalancers = rapid.Permutation(v.LoadBalancers).Draw(t, "load balancers")
		v.Listeners = rapid.Permutation(v.Listeners).Draw(t, "listeners")
		v.Rules = rapid.Permutation(v.Rules).Draw(t, "rules")
		v.Groups = rapid.Permutation(v.Groups).Draw(t, "groups")
		v.Targets = rapid.Permutation(v.Targets).Draw(t, "targets")
		v.Certificates = rapid.Permutation(v.Certificates).Draw(t, "certificates")
		b, g := Balancers(v, "n")
		if !reflect.DeepEqual(b, balancers) || !reflect.DeepEqual(g, groups) {
			t.Fatalf("another order gives %+v and %+v", b, g)
		}
	})
}

// TestOpenTo holds that who has no security group is in one that lets all pass,
// in its own VPC only.
func TestOpenTo(t *testing.T) {
	balancers, _ := Balancers(elbWorld(), "n")
	vpcs := []desired.VPC{{ID: "vpc-0"}, {ID: "vpc-1", Groups: []desired.SecurityGroup{{ID: "sg-1"}}}}
	balancers[1].Interfaces[0].IPv6 = netip.MustParseAddr("2001:db8::9")
	OpenTo(vpcs, balancers)
	if len(vpcs[0].Groups) != 0 || len(vpcs[1].Groups) != 2 {
		t.Fatalf("groups are %+v", vpcs)
	}
	open := vpcs[1].Groups[0]
	if g := balancers[1].Interfaces[0].Groups; !slices.Equal(g, []string{open.ID}) || !slices.Equal(balancers[0].Interfaces[0].Groups, []string{"sg-1"}) {
		t.Errorf("the interface is in %q", g)
	}
	members := []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("2001:db8::9")}
	if !slices.Equal(open.Members, members) || len(open.Ingress) != len(members) || len(open.Egress) != len(members) {
		t.Errorf("the open group is %+v", open)
	}
}
