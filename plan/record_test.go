package plan

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"fargo/aws/elbv2"
	"fargo/desired"
	"fargo/record"
)

func TestRecords(t *testing.T) {
	balancer := func(name *string, addresses ...string) *record.ELBLoadBalancer {
		l := &record.ELBLoadBalancer{LoadBalancer: elbv2.LoadBalancer{LoadBalancerArn: new("arn"), DNSName: name}}
		for _, a := range addresses {
			l.Interfaces = append(l.Interfaces, desired.Interface{Address: netip.MustParseAddr(a)})
		}
		return l
	}
	got := Records(ELBView{LoadBalancers: []*record.ELBLoadBalancer{
		balancer(new("net-0123456789abcdef.elb.us-east-1.amazonaws.com"), "172.31.0.5"),
		balancer(new("internal-API-1.us-east-1.elb.amazonaws.com"), "172.31.16.4", "172.31.0.4"),
		balancer(new("not-placed-yet-1.us-east-1.elb.amazonaws.com")),
		balancer(nil, "172.31.0.6"),
	}})
	want := []desired.Record{{
		Name: "internal-api-1.us-east-1.elb.amazonaws.com", TTL: time.Minute,
		Addresses: []netip.Addr{netip.MustParseAddr("172.31.16.4"), netip.MustParseAddr("172.31.0.4")},
	}, {
		Name: "net-0123456789abcdef.elb.us-east-1.amazonaws.com", TTL: time.Minute,
		Addresses: []netip.Addr{netip.MustParseAddr("172.31.0.5")},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v\nwant %+v", got, want)
	}
}

// TestDNSFailover holds which zones' addresses a name has: 10.0.0.1 is in zone
// a, 10.0.0.2 in zone b. Targets are written as their zone and their state, "-"
// is a second group.
func TestDNSFailover(t *testing.T) {
	const a, b, both = "10.0.0.1", "10.0.0.2", "10.0.0.1 10.0.0.2"
	for name, test := range map[string]struct {
		kind          elbv2.LoadBalancerTypeEnum
		group         string // load_balancing.cross_zone.enabled
		count, share  string
		targets, want string
	}{
		"a healthy zone of two":              {"network", "", "1", "off", "a:healthy b:unhealthy", a},
		"an empty zone":                      {"network", "", "1", "off", "b:healthy", b},
		"no healthy zone":                    {"network", "", "1", "off", "a:unhealthy b:initial", both},
		"no target":                          {"network", "", "1", "off", "", both},
		"targets outside serve every zone":   {"network", "", "1", "off", "all:healthy", both},
		"cross-zone by the group":            {"network", "true", "1", "off", "a:healthy", both},
		"application":                        {"application", "use_load_balancer_configuration", "1", "off", "a:healthy b:unhealthy", both},
		"application, off by the group":      {"application", "false", "1", "off", "a:healthy b:unhealthy", a},
		"too few":                            {"network", "", "2", "off", "a:healthy a:healthy b:healthy b:unhealthy", a},
		"too few, but that is off":           {"network", "", "off", "off", "a:healthy b:unhealthy", both},
		"too small a share":                  {"network", "", "off", "60", "a:healthy a:unhealthy b:healthy", b},
		"either threshold":                   {"network", "", "2", "60", "a:healthy a:healthy b:healthy b:healthy b:unhealthy b:unhealthy", a},
		"draining ones do not count":         {"network", "", "off", "60", "a:draining a:healthy b:unhealthy b:healthy", a},
		"checks that are off":                {"network", "", "1", "off", "a:unavailable", a},
		"every group must serve":             {"network", "", "1", "off", "a:healthy b:healthy - a:healthy b:unhealthy", a},
		"groups that serve in no zone alike": {"network", "", "1", "off", "a:healthy - b:healthy", both},
	} {
		t.Run(name, func(t *testing.T) {
			v := ELBView{LoadBalancers: []*record.ELBLoadBalancer{{
				LoadBalancer: elbv2.LoadBalancer{
					LoadBalancerArn: new("lb"), DNSName: new("name"), Type: test.kind,
					AvailabilityZones: []elbv2.AvailabilityZone{{ZoneName: new("a")}, {ZoneName: new("b")}},
				},
				Interfaces: []desired.Interface{{ID: "eni-a", Address: netip.MustParseAddr(a)}, {ID: "eni-b", Address: netip.MustParseAddr(b)}},
				Nodes:      map[string]string{"eni-a": "n", "eni-b": "m"},
			}}}
			for n, targets := range strings.Split(test.targets, "-") {
				arn := fmt.Sprint("g", n)
				v.Groups = append(v.Groups, &record.ELBTargetGroup{
					TargetGroup: elbv2.TargetGroup{TargetGroupArn: &arn, TargetType: elbv2.TargetTypeEnumIp},
					Attributes: map[string]string{
						"load_balancing.cross_zone.enabled":                                   test.group,
						"target_group_health.dns_failover.minimum_healthy_targets.count":      test.count,
						"target_group_health.dns_failover.minimum_healthy_targets.percentage": test.share,
					},
				})
				v.Listeners = append(v.Listeners, &record.ELBListener{Listener: elbv2.Listener{
					ListenerArn: new(fmt.Sprint("l", n)), LoadBalancerArn: new("lb"),
					DefaultActions: []elbv2.Action{{Type: elbv2.ActionTypeEnumForward, TargetGroupArn: &arn}},
				}})
				for port, word := range strings.Fields(targets) {
					zone, state, _ := strings.Cut(word, ":")
					target := &record.ELBTarget{Group: arn, ID: "10.0.1.1", Port: port, Zone: zone, Health: &elbv2.TargetHealth{State: elbv2.TargetHealthStateEnum(state)}}
					if state == "draining" {
						target.DrainingSince = time.Unix(1, 0)
					}
					v.Targets = append(v.Targets, target)
				}
			}
			var got []string
			for _, address := range Records(v)[0].Addresses {
				got = append(got, address.String())
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// The name of a load balancer with public addresses leads to those, also inside its VPC.
func TestRecordsOfInternetFacing(t *testing.T) {
	lb := &record.ELBLoadBalancer{LoadBalancer: elbv2.LoadBalancer{LoadBalancerArn: new("arn"), DNSName: new("web-1.us-east-1.elb.amazonaws.com")}}
	for _, i := range []struct{ private, public string }{{"172.31.0.4", "203.0.113.9"}, {"172.31.16.4", "203.0.113.8"}} {
		lb.Interfaces = append(lb.Interfaces, desired.Interface{
			ID: i.private, Address: netip.MustParseAddr(i.private), Public: netip.MustParseAddr(i.public),
		})
	}
	want := []netip.Addr{netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("203.0.113.8")}
	if got := Records(ELBView{LoadBalancers: []*record.ELBLoadBalancer{lb}})[0].Addresses; !reflect.DeepEqual(got, want) {
		t.Errorf("before it has nodes: %v", got)
	}
	lb.Nodes = map[string]string{"172.31.16.4": "node-1"}
	if got := Records(ELBView{LoadBalancers: []*record.ELBLoadBalancer{lb}})[0].Addresses; !reflect.DeepEqual(got, want[1:]) {
		t.Errorf("with one on a node: %v", got)
	}
}

// The name of a dual-stack load balancer leads to addresses of both families, those of an
// interface together, and without public IPv4 to IPv6 alone.
func TestRecordsOfDualStack(t *testing.T) {
	lb := &record.ELBLoadBalancer{LoadBalancer: elbv2.LoadBalancer{LoadBalancerArn: new("arn"), DNSName: new("web-1.us-east-1.elb.amazonaws.com")}}
	for n, public := range []string{"203.0.113.9", "203.0.113.8"} {
		lb.Interfaces = append(lb.Interfaces, desired.Interface{
			ID: public, Address: netip.AddrFrom4([4]byte{10, 0, 0, byte(4 + n)}), IPv6: netip.MustParseAddr(fmt.Sprintf("2001:db8::%d", 4+n)), Public: netip.MustParseAddr(public),
		})
	}
	for kind, want := range map[elbv2.IpAddressType]string{
		elbv2.IpAddressTypeDualstack:                  "[203.0.113.9 2001:db8::4 203.0.113.8 2001:db8::5]",
		elbv2.IpAddressTypeDualstackWithoutPublicIpv4: "[2001:db8::4 2001:db8::5]",
	} {
		lb.LoadBalancer.IpAddressType = kind
		if got := fmt.Sprint(Records(ELBView{LoadBalancers: []*record.ELBLoadBalancer{lb}})[0].Addresses); got != want {
			t.Errorf("%s: %s", kind, got)
		}
	}
}
