package plan

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"fargo"
	"fargo/aws/elbv2"
)

func TestRecords(t *testing.T) {
	balancer := func(name *string, addresses ...string) *fargo.ELBLoadBalancer {
		l := &fargo.ELBLoadBalancer{LoadBalancer: elbv2.LoadBalancer{DNSName: name}}
		for _, a := range addresses {
			l.Interfaces = append(l.Interfaces, fargo.Interface{Address: netip.MustParseAddr(a)})
		}
		return l
	}
	got := Records([]*fargo.ELBLoadBalancer{
		balancer(new("net-0123456789abcdef.elb.us-east-1.amazonaws.com"), "172.31.0.5"),
		balancer(new("internal-API-1.us-east-1.elb.amazonaws.com"), "172.31.16.4", "172.31.0.4"),
		balancer(new("not-placed-yet-1.us-east-1.elb.amazonaws.com")),
		balancer(nil, "172.31.0.6"),
	})
	want := []fargo.Record{{
		Name: "internal-api-1.us-east-1.elb.amazonaws.com", TTL: time.Minute,
		Addresses: []netip.Addr{netip.MustParseAddr("172.31.0.4"), netip.MustParseAddr("172.31.16.4")},
	}, {
		Name: "net-0123456789abcdef.elb.us-east-1.amazonaws.com", TTL: time.Minute,
		Addresses: []netip.Addr{netip.MustParseAddr("172.31.0.5")},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v\nwant %+v", got, want)
	}
}
