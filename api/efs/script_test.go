package efs_test

import (
	"net/netip"
	"testing"

	"fargo"
	"fargo/api"
	"fargo/api/apitest"
	"fargo/api/ec2"
	"fargo/api/efs"
	wireec2 "fargo/aws/ec2"
	wire "fargo/aws/efs"
	"fargo/store"
)

func TestScripts(t *testing.T) {
	apitest.Run(t, func(t *testing.T) apitest.Setup {
		db, err := store.Open(t.Context(), store.NewMemory())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return apitest.Setup{Services: []api.Mounted{
			{Service: &wireec2.API, Server: ec2.New(ec2.Config{
				DB: db, Networks: func() ([]fargo.MachineNetwork, error) { return nil, nil },
				Public: netip.MustParsePrefix("240.0.0.0/24"), Public6: netip.MustParsePrefix("2001:db8:0:100::/56"),
			})},
			{Service: &wire.API, Server: efs.New(db)},
		}}
	})
}

func TestTexts(t *testing.T) { apitest.Texts(t, ".") }
