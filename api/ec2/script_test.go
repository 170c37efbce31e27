package ec2_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"fargo"
	"fargo/api"
	"fargo/api/apitest"
	"fargo/api/ec2"
	"fargo/api/iam"
	wire "fargo/aws/ec2"
	iamwire "fargo/aws/iam"
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

func server(t *testing.T, n ec2.Networks) *ec2.Server { return serverOn(database(t), n) }

func serverOn(db *store.DB, n ec2.Networks) *ec2.Server {
	return ec2.New(ec2.Config{DB: db, Networks: n, Public: netip.MustParsePrefix("240.0.0.0/24"), ElasticIPs: 5, Public6: netip.MustParsePrefix("2001:db8:0:100::/56")})
}

func database(t *testing.T) *store.DB {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// call is one of the default account in the default region.
func call(ctx context.Context, operation string) context.Context {
	return api.WithCall(ctx, &api.Call{Service: "ec2", Operation: operation, Account: fargo.DefaultAccount, Region: fargo.DefaultRegion})
}

// count calls an operation and tells how many there are in the list that it answers.
func count(ctx context.Context, s *ec2.Server, args string) (string, error) {
	name, input, _ := strings.Cut(args, " ")
	for _, op := range wire.API.Operations {
		if op.Name != name {
			continue
		}
		in := op.Input()
		if err := json.Unmarshal([]byte(input), in); err != nil {
			return "", err
		}
		handle, _ := op.Bind(s)
		ctx = call(ctx, name)
		if err := s.Precheck(ctx, in); err != nil {
			return "", err
		}
		out, err := handle(ctx, in)
		if err != nil {
			return "", err
		}
		answer := reflect.ValueOf(out).Elem()
		for i := range answer.NumField() {
			if f := answer.Field(i); f.Kind() == reflect.Slice {
				return strconv.Itoa(f.Len()), nil
			}
		}
	}
	return "", fmt.Errorf("no operation %s answers a list", name)
}

// TestScripts runs the scripts. "groups" lists the names of the security groups that a
// query finds, "count" tells how many of anything an operation finds.
func TestScripts(t *testing.T) {
	apitest.Run(t, func(t *testing.T) apitest.Setup {
		db := database(t)
		s := serverOn(db, networks)
		commands := gatewayCommands(db)
		maps.Copy(commands, map[string]func(context.Context, string) (string, error){
			"count": func(ctx context.Context, args string) (string, error) { return count(ctx, s, args) },
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
		})
		return apitest.Setup{
			Services: []api.Mounted{
				{Service: &wire.API, Server: s}, {Service: &iamwire.API, Server: iam.New(iam.Config{DB: db})},
			},
			Commands: commands,
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
