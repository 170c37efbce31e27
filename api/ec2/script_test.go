package ec2_test

import (
	"net/netip"
	"testing"

	"fargo"
	"fargo/api"
	"fargo/api/apitest"
	"fargo/api/ec2"
	wire "fargo/aws/ec2"
	"fargo/store"
)

// networks are those of a machine with a private network, a bridge of its own, and
// a route without an interface.
func networks() ([]fargo.MachineNetwork, error) {
	return []fargo.MachineNetwork{
		{Prefix: netip.MustParsePrefix("10.20.0.0/24"), Link: "eth0"},
		{Prefix: netip.MustParsePrefix("172.17.0.0/16"), Link: "docker0"},
		{Prefix: netip.MustParsePrefix("192.168.77.0/24")},
	}, nil
}

func TestScripts(t *testing.T) {
	apitest.Run(t, func(t *testing.T) apitest.Setup {
		db, err := store.Open(t.Context(), store.NewMemory())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return apitest.Setup{Services: []api.Mounted{{Service: &wire.API, Server: ec2.New(db, networks)}}}
	})
}
