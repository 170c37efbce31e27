package control

import (
	"iter"
	"net/netip"
	"slices"
	"time"

	"fargo"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// NATGateways is the controller that gives NAT gateways what they need, and takes it
// back.
func NATGateways() Controller {
	return Controller{
		Name: "natgateway",
		All:  func(r store.Reader) iter.Seq[string] { return keys(store.EC2NATGateways.All(r)) },
		Scope: func(_ store.Reader, c store.Change) iter.Seq[string] {
			if c.Table == store.EC2NATGateways.Name() {
				return slices.Values([]string{c.Key})
			}
			return slices.Values([]string(nil))
		},
		Reconcile: func(tx *store.Tx, key string, now time.Time) (time.Time, error) {
			g, ok := store.EC2NATGateways.Get(tx, key)
			if !ok {
				return time.Time{}, nil
			}
			change := plan.AdvanceNATGateway(g, natGatewayView(tx, g), now)
			putNATGateway(tx, g, &change)
			return change.Next, nil
		},
	}
}

func natGatewayView(r store.Reader, g *record.EC2NATGateway) plan.NATGatewayView {
	v := plan.NATGatewayView{NewID: fargo.NewEC2ID, Addresses: map[string]*record.EC2Address{}}
	v.Subnet, _ = store.EC2Subnets.Get(r, g.Scope.Key(*g.Gateway.SubnetId))
	v.Taken = func(a netip.Addr) bool { return store.AddressTaken(r, *g.Gateway.VpcId, a) }
	for i := range store.EC2InternetGateways.Prefix(r, g.Scope.Key()) {
		for _, a := range i.Gateway.Attachments {
			v.Attached = v.Attached || *a.VpcId == *g.Gateway.VpcId
		}
	}
	for _, a := range g.Gateway.NatGatewayAddresses {
		if a.AllocationId == nil {
			continue
		}
		if e, ok := store.EC2Addresses.Get(r, g.Scope.Key(*a.AllocationId)); ok {
			v.Addresses[*a.AllocationId] = e
		}
	}
	return v
}

func putNATGateway(tx *store.Tx, old *record.EC2NATGateway, c *plan.NATGatewayChange) {
	for _, i := range c.Interfaces {
		store.EC2NetworkInterfaces.Put(tx, i)
	}
	for _, id := range c.Gone {
		store.DeleteInterface(tx, old.Scope.Key(id))
	}
	for _, a := range c.Associations {
		store.AssociateAddress(tx, a.Address, a.Interface, *a.Interface.Interface.PrivateIpAddress, a.ID)
	}
	switch {
	case c.Gateway == nil:
		store.EC2NATGateways.Delete(tx, old.Key())
	case c.Gateway != old:
		store.EC2NATGateways.Put(tx, c.Gateway)
	}
}
