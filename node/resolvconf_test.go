package node

import (
	"net/netip"
	"testing"

	"fargo/desired"
)

func TestResolvConf(t *testing.T) {
	for _, test := range []struct {
		resolver *desired.Resolver
		want     string
	}{
		{nil, "search eu-west-1.compute.internal\nnameserver 169.254.169.253\n"},
		{&desired.Resolver{}, ""},
		{
			&desired.Resolver{Search: []string{"a.example", "b.example"}, Servers: []netip.Addr{netip.MustParseAddr("10.0.0.5"), desired.VPCResolver}},
			"search a.example b.example\nnameserver 10.0.0.5\nnameserver 169.254.169.253\n",
		},
	} {
		a := &desired.Assignment{TaskARN: "arn:aws:ecs:eu-west-1:123456789012:task/c/1", Interface: &desired.Interface{Resolver: test.resolver}}
		if got := resolvConf(a); got != test.want {
			t.Errorf("%+v: %q, want %q", test.resolver, got, test.want)
		}
	}
}
