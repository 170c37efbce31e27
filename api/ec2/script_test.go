package ec2_test

import (
	"context"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
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

func server(t *testing.T, n ec2.Networks) *ec2.Server {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return ec2.New(db, n)
}

// call is one of the default account in the default region.
func call(ctx context.Context, operation string) context.Context {
	return api.WithCall(ctx, &api.Call{Service: "ec2", Operation: operation, Account: fargo.DefaultAccount, Region: fargo.DefaultRegion})
}

// TestScripts runs the scripts. "groups" lists the names of the security groups that a
// query finds.
func TestScripts(t *testing.T) {
	apitest.Run(t, func(t *testing.T) apitest.Setup {
		s := server(t, networks)
		return apitest.Setup{
			Services: []api.Mounted{{Service: &wire.API, Server: s}},
			Commands: map[string]func(context.Context, string) (string, error){
				"groups": func(ctx context.Context, args string) (string, error) {
					var in wire.DescribeSecurityGroupsInput
					if err := json.Unmarshal([]byte(args), &in); err != nil {
						return "", err
					}
					out, err := s.DescribeSecurityGroups(call(ctx, "DescribeSecurityGroups"), &in)
					if err != nil {
						return "", err
					}
					names := []string{"found:"}
					for _, g := range out.SecurityGroups {
						names = append(names, *g.GroupName)
					}
					slices.Sort(names[1:])
					return strings.Join(names, " "), nil
				},
			},
		}
	})
}

// TestRecorded holds the answers to what AWS answered. The machine is in no network
// that the recorded VPCs could be in.
func TestRecorded(t *testing.T) {
	apitest.RunRecorded(t, func(t *testing.T) apitest.Setup {
		return apitest.Setup{Services: []api.Mounted{{Service: &wire.API, Server: server(t, nil)}}}
	})
}
