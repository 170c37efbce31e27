package kernel

import (
	"net/netip"
	"reflect"
	"testing"

	"fargo/desired"
)

// A copy shares nothing with what it is made from, whatever fields there will be.
func TestRouterInputIsCloned(t *testing.T) {
	rules := []desired.Rule{{Protocol: "tcp"}}
	groups := []desired.SecurityGroup{{ID: "sg-1", Ingress: rules, Egress: rules, Members: []netip.Addr{gatewayAddress}}}
	in := routerInput{
		vpc: desired.VPC{
			S3:    desired.ServiceAddress{Names: []string{"s3.amazonaws.com"}},
			CIDRs: []netip.Prefix{linkLocal}, Groups: groups, Peers: []string{"vpc-2"}, DNSPeers: []string{"vpc-2"},
			Subnets:     []desired.Subnet{{Prefixes: []netip.Prefix{linkLocal}}},
			RouteTables: []desired.RouteTable{{Routes: []desired.Route{{To: linkLocal}}}},
			ACLs:        []desired.ACL{{Ingress: []desired.ACLEntry{{}}, Egress: []desired.ACLEntry{{}}}},
			NATGateways: []desired.NATGateway{{Addresses: []desired.NATAddress{{}}}},
		},
		peers: []peer{{cidrs: []netip.Prefix{linkLocal}, groups: groups}},
		interfaces: []desired.Interface{{
			Groups: []string{"sg-1"}, Resolver: &desired.Resolver{Search: []string{"shop.internal"}, Servers: []netip.Addr{gatewayAddress}},
		}},
	}
	out := in.clone()
	if !reflect.DeepEqual(in, out) {
		t.Errorf("%+v is not %+v", out, in)
	}
	checkApart(t, "input", reflect.ValueOf(in), reflect.ValueOf(out))
}

// checkApart finds slices and pointers that share memory, and those that this test leaves
// empty.
func checkApart(t *testing.T, path string, a, b reflect.Value) {
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			if a.Type() == reflect.TypeFor[netip.Addr]() {
				return
			}
			checkApart(t, path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
		}
	case reflect.Slice:
		if a.Len() == 0 || a.Pointer() == b.Pointer() {
			t.Errorf("%s is empty or shared", path)
			return
		}
		checkApart(t, path+"[0]", a.Index(0), b.Index(0))
	case reflect.Pointer:
		if a.IsNil() || a.Pointer() == b.Pointer() {
			t.Errorf("%s is empty or shared", path)
			return
		}
		checkApart(t, path, a.Elem(), b.Elem())
	case reflect.Map:
		t.Errorf("%s is a %s: clone it", path, a.Kind())
	}
}
