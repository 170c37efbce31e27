package ec2_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/aws"
	wire "fargo/aws/ec2"
	"fargo/control"
	"fargo/record"
	"fargo/store"
)

// gatewayCommands are what scripts about gateways and endpoints say: "settle" lets the
// controllers have their turn, "allocate" puts an Elastic IP address, "node" a node, and
// "natgateways" and "endpoints" tell of each in a few lines.
func gatewayCommands(db *store.DB) map[string]func(context.Context, string) (string, error) {
	scope := fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}
	return map[string]func(context.Context, string) (string, error){
		"settle": func(ctx context.Context, _ string) (string, error) { return "", settle(ctx, db) },
		"allocate": func(ctx context.Context, args string) (string, error) {
			id, ip, _ := strings.Cut(args, " ")
			return "", db.Update(ctx, func(tx *store.Tx) error {
				store.EC2Addresses.Put(tx, &record.EC2Address{Scope: scope, Address: wire.Address{
					AllocationId: &id, PublicIp: &ip, Domain: wire.DomainTypeVpc,
				}})
				return nil
			})
		},
		"node": func(ctx context.Context, _ string) (string, error) {
			return "", db.Update(ctx, func(tx *store.Tx) error {
				store.Nodes.Put(tx, &record.Node{ID: "n1", State: record.NodeActive})
				return nil
			})
		},
		"natgateways": func(context.Context, string) (string, error) { return natGateways(db.View()), nil },
		"endpoints":   func(context.Context, string) (string, error) { return endpoints(db.View()), nil },
	}
}

// settle lets the controllers of gateways and endpoints look at each once.
func settle(ctx context.Context, db *store.DB) error {
	for _, c := range []control.Controller{control.NATGateways(), control.VPCEndpoints()} {
		for key := range c.All(db.View()) {
			err := db.Update(ctx, func(tx *store.Tx) error {
				_, err := c.Reconcile(tx, key, time.Now())
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func natGateways(r store.Reader) string {
	var b strings.Builder
	byAge := func(a, b *record.EC2NATGateway) int { return a.Gateway.CreateTime.Compare(*b.Gateway.CreateTime) }
	for _, g := range slices.SortedFunc(store.EC2NATGateways.All(r), byAge) {
		fmt.Fprintf(&b, "%s %s %s\n", *g.Gateway.NatGatewayId, g.Gateway.State, aws.Value(g.Gateway.FailureMessage))
		for _, a := range g.Gateway.NatGatewayAddresses {
			fmt.Fprintf(&b, "  %s %s %s primary=%v %s %s\n", aws.Value(a.AllocationId), aws.Value(a.PublicIp), aws.Value(a.PrivateIp),
				aws.Value(a.IsPrimary), a.Status, aws.Value(a.FailureMessage))
		}
	}
	return b.String()
}

func endpoints(r store.Reader) string {
	var b strings.Builder
	byAge := func(a, b *record.EC2VPCEndpoint) int {
		return a.Endpoint.CreationTimestamp.Compare(*b.Endpoint.CreationTimestamp)
	}
	for _, e := range slices.SortedFunc(store.EC2VPCEndpoints.All(r), byAge) {
		fmt.Fprintf(&b, "%s %s %s\n", *e.Endpoint.VpcEndpointId, *e.Endpoint.ServiceName, e.Endpoint.State)
		for _, i := range e.Interfaces {
			fmt.Fprintf(&b, "  %s in %s on %q in groups %v\n", i.ID, i.Subnet, e.Nodes[i.ID], i.Groups)
		}
		for _, d := range e.Endpoint.DnsEntries {
			fmt.Fprintf(&b, "  %s\n", *d.DnsName)
		}
	}
	return b.String()
}
