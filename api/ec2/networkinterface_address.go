package ec2

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// maxAddresses is how many addresses of a family an interface may have: as many as any
// type of instance lets it. Source: EC2 user guide, "Maximum IP addresses per network
// interface".
const maxAddresses = 50

// freeAddresses gives an interface addresses of its subnet.
type freeAddresses struct {
	r      store.Reader
	subnet *record.EC2Subnet
	seed   string
	given  map[netip.Addr]bool
}

func (f *freeAddresses) taken(a netip.Addr) bool {
	return f.given[a] || store.AddressTaken(f.r, *f.subnet.Subnet.VpcId, a)
}

// four is an IPv4 address: the wanted one, or with the zero Addr any.
func (f *freeAddresses) four(wanted netip.Addr) (netip.Addr, error) {
	p := f.subnet.Prefix()
	if !wanted.IsValid() {
		return f.give(plan.FreeAddress(p, f.seed, f.taken))
	}
	return wanted, f.take(wanted, plan.Assignable(p, wanted))
}

// six is an IPv6 address: the wanted one, or with the zero Addr any.
func (f *freeAddresses) six(wanted netip.Addr) (netip.Addr, error) {
	p, has := f.subnet.Prefix6()
	if !has {
		return wanted, badValue("The subnet %s has no IPv6 CIDR block.", *f.subnet.Subnet.SubnetId)
	}
	if !wanted.IsValid() {
		return f.give(plan.FreeAddress6(p, f.seed, f.taken))
	}
	return wanted, f.take(wanted, plan.Assignable6(p, wanted))
}

func (f *freeAddresses) give(a netip.Addr, ok bool) (netip.Addr, error) {
	if !ok {
		return a, protocol.Errorf("InsufficientFreeAddressesInSubnet", "The specified subnet does not have enough free addresses to satisfy the request.")
	}
	f.given[a] = true
	return a, nil
}

func (f *freeAddresses) take(a netip.Addr, assignable bool) error {
	switch {
	case !assignable:
		return badValue("Address %s does not fall within the subnet's address range", a)
	case f.taken(a):
		return protocol.Errorf("InvalidIPAddress.InUse", "The specified address is already in use.")
	}
	f.given[a] = true
	return nil
}

// several are the wanted addresses, and count more.
func several(one func(netip.Addr) (netip.Addr, error), wanted []netip.Addr, count int) ([]netip.Addr, error) {
	var all []netip.Addr
	for _, w := range append(slices.Clone(wanted), make([]netip.Addr, count)...) {
		a, err := one(w)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

func parseIPv4(text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is4() {
		return a, badValue("Value (%s) for parameter privateIpAddress is invalid. Invalid IPv4 address.", text)
	}
	return a, nil
}

func parseIPv6(text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is6() || a.Zone() != "" {
		return a, badValue("Value (%s) for parameter ipv6Address is invalid. Invalid IPv6 address.", text)
	}
	return a, nil
}

func parseAll(texts []string, parse func(string) (netip.Addr, error)) ([]netip.Addr, error) {
	var all []netip.Addr
	for _, t := range texts {
		a, err := parse(t)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

func privateAddress(region string, a netip.Addr, primary bool) ec2.NetworkInterfacePrivateIpAddress {
	return ec2.NetworkInterfacePrivateIpAddress{Primary: &primary, PrivateDnsName: new(fargo.PrivateDNSName(region, a)), PrivateIpAddress: new(a.String())}
}

func ipv6Address(a netip.Addr) ec2.NetworkInterfaceIpv6Address {
	return ec2.NetworkInterfaceIpv6Address{Ipv6Address: new(a.String()), IsPrimaryIpv6: new(false)}
}

// findOwnInterface finds an interface that is the user's to change.
func findOwnInterface(r store.Reader, scope fargo.Scope, id string) (*record.EC2NetworkInterface, error) {
	i, ok := store.EC2NetworkInterfaces.Get(r, scope.Key(id))
	switch {
	case !ok:
		return nil, noInterface(id)
	case i.TaskARN != "" || aws.Value(i.Interface.RequesterManaged):
		return nil, notPermitted("You do not have permission to access the specified resource.")
	}
	return i, nil
}

// changeAddresses commits what change makes of a copy of an interface.
func (s *Server) changeAddresses(ctx context.Context, id string, change func(tx *store.Tx, c *record.EC2NetworkInterface, free *freeAddresses) error) error {
	return s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		i, err := findOwnInterface(tx, scope, id)
		if err != nil {
			return err
		}
		n, err := findSubnet(tx, scope, *i.Interface.SubnetId)
		if err != nil {
			return err
		}
		c := *i
		c.Interface.PrivateIpAddresses = slices.Clone(i.Interface.PrivateIpAddresses)
		c.Interface.Ipv6Addresses = slices.Clone(i.Interface.Ipv6Addresses)
		if err := change(tx, &c, &freeAddresses{tx, n, id, map[netip.Addr]bool{}}); err != nil {
			return err
		}
		if len(c.Interface.PrivateIpAddresses) > maxAddresses || len(c.Interface.Ipv6Addresses) > maxAddresses {
			return protocol.Errorf("PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit.")
		}
		store.EC2NetworkInterfaces.Put(tx, &c)
		return nil
	})
}

// counted refuses a call that names addresses and a number of them, or neither.
func counted(names int, count *int32, list, number string) error {
	switch {
	case names == 0 && count == nil:
		return missingEither(list, number)
	case names > 0 && count != nil:
		return protocol.Errorf("InvalidParameterCombination", "The parameters %s and %s may not be used together.", list, number)
	case count != nil && (*count < 1 || *count > maxAddresses):
		return badValue("Value (%d) for parameter %s is invalid.", *count, number)
	}
	return nil
}

// AssignPrivateIpAddresses gives an interface secondary addresses, also those of others
// when the caller allows that: an address comes with its Elastic IP address.
func (s *Server) AssignPrivateIpAddresses(ctx context.Context, in *ec2.AssignPrivateIpAddressesInput) (*ec2.AssignPrivateIpAddressesOutput, error) {
	if err := refuseSet(map[string]bool{"Ipv4Prefix": len(in.Ipv4Prefixes) > 0, "Ipv4PrefixCount": in.Ipv4PrefixCount != nil}); err != nil {
		return nil, err
	}
	if err := counted(len(in.PrivateIpAddresses), in.SecondaryPrivateIpAddressCount, "privateIpAddress", "secondaryPrivateIpAddressCount"); err != nil {
		return nil, err
	}
	wanted, err := parseAll(in.PrivateIpAddresses, parseIPv4)
	if err != nil {
		return nil, err
	}
	out := &ec2.AssignPrivateIpAddressesOutput{NetworkInterfaceId: in.NetworkInterfaceId, AssignedPrivateIpAddresses: []ec2.AssignedPrivateIpAddress{}}
	return out, s.changeAddresses(ctx, *in.NetworkInterfaceId, func(tx *store.Tx, c *record.EC2NetworkInterface, free *freeAddresses) error {
		var rest []netip.Addr
		for _, a := range wanted {
			if slices.Contains(c.Addresses(), a) {
				continue // it has it
			}
			if aws.Value(in.AllowReassignment) {
				moved, err := takeOver(tx, c, a)
				if err != nil {
					return err
				}
				if moved != nil {
					c.Interface.PrivateIpAddresses = append(c.Interface.PrivateIpAddresses, *moved)
					out.AssignedPrivateIpAddresses = append(out.AssignedPrivateIpAddresses, ec2.AssignedPrivateIpAddress{PrivateIpAddress: new(a.String())})
					continue
				}
			}
			rest = append(rest, a)
		}
		made, err := several(free.four, rest, int(aws.Value(in.SecondaryPrivateIpAddressCount)))
		for _, a := range made {
			c.Interface.PrivateIpAddresses = append(c.Interface.PrivateIpAddresses, privateAddress(c.Scope.Region, a, false))
			out.AssignedPrivateIpAddresses = append(out.AssignedPrivateIpAddresses, ec2.AssignedPrivateIpAddress{PrivateIpAddress: new(a.String())})
		}
		return err
	})
}

// takeOver takes a secondary address from the interface of the same VPC that has it; nil
// when none has.
func takeOver(tx *store.Tx, to *record.EC2NetworkInterface, a netip.Addr) (*ec2.NetworkInterfacePrivateIpAddress, error) {
	for i := range store.EC2NetworkInterfaces.By(tx, store.InterfaceByAddress, store.InterfaceAddress(*to.Interface.VpcId, a)) {
		from, err := findOwnInterface(tx, i.Scope, *i.Interface.NetworkInterfaceId)
		if err != nil {
			return nil, err
		}
		place := secondaryIndex(from, a)
		if place < 0 || *from.Interface.SubnetId != *to.Interface.SubnetId {
			return nil, badValue("The address %s is the primary address of %s, or of another subnet.", a, *i.Interface.NetworkInterfaceId)
		}
		moved := from.Interface.PrivateIpAddresses[place]
		c := *from
		c.Interface.PrivateIpAddresses = slices.Delete(slices.Clone(from.Interface.PrivateIpAddresses), place, place+1)
		store.EC2NetworkInterfaces.Put(tx, &c)
		for e := range store.EC2Addresses.By(tx, store.AddressByInterface, *i.Interface.NetworkInterfaceId) {
			if aws.Value(e.Address.PrivateIpAddress) == a.String() {
				elastic := *e
				elastic.Address.NetworkInterfaceId = to.Interface.NetworkInterfaceId
				store.EC2Addresses.Put(tx, &elastic)
			}
		}
		return &moved, nil
	}
	return nil, nil
}

// secondaryIndex is the place of a secondary address, -1 for none.
func secondaryIndex(i *record.EC2NetworkInterface, a netip.Addr) int {
	return slices.IndexFunc(i.Interface.PrivateIpAddresses, func(p ec2.NetworkInterfacePrivateIpAddress) bool {
		return *p.PrivateIpAddress == a.String() && !aws.Value(p.Primary)
	})
}

// UnassignPrivateIpAddresses takes secondary addresses from an interface.
func (s *Server) UnassignPrivateIpAddresses(ctx context.Context, in *ec2.UnassignPrivateIpAddressesInput) (*ec2.UnassignPrivateIpAddressesOutput, error) {
	if err := refuseSet(map[string]bool{"Ipv4Prefix": len(in.Ipv4Prefixes) > 0}); err != nil {
		return nil, err
	}
	unwanted, err := parseAll(in.PrivateIpAddresses, parseIPv4)
	switch {
	case err != nil:
		return nil, err
	case len(unwanted) == 0:
		return nil, missingParameter("privateIpAddress")
	}
	return &ec2.UnassignPrivateIpAddressesOutput{}, s.changeAddresses(ctx, *in.NetworkInterfaceId, func(_ *store.Tx, c *record.EC2NetworkInterface, _ *freeAddresses) error {
		for _, a := range unwanted {
			place := secondaryIndex(c, a)
			switch {
			case place < 0:
				return badValue("The address %s is no secondary private IP address of %s.", a, *in.NetworkInterfaceId)
			case c.Interface.PrivateIpAddresses[place].Association != nil:
				return protocol.Errorf("InvalidIPAddress.InUse", "The address %s is associated with an Elastic IP address.", a)
			}
			c.Interface.PrivateIpAddresses = slices.Delete(c.Interface.PrivateIpAddresses, place, place+1)
		}
		return nil
	})
}

// AssignIpv6Addresses gives an interface IPv6 addresses.
func (s *Server) AssignIpv6Addresses(ctx context.Context, in *ec2.AssignIpv6AddressesInput) (*ec2.AssignIpv6AddressesOutput, error) {
	if err := refuseSet(map[string]bool{"Ipv6Prefix": len(in.Ipv6Prefixes) > 0, "Ipv6PrefixCount": in.Ipv6PrefixCount != nil}); err != nil {
		return nil, err
	}
	if err := counted(len(in.Ipv6Addresses), in.Ipv6AddressCount, "ipv6Addresses", "ipv6AddressCount"); err != nil {
		return nil, err
	}
	wanted, err := parseAll(in.Ipv6Addresses, parseIPv6)
	if err != nil {
		return nil, err
	}
	out := &ec2.AssignIpv6AddressesOutput{NetworkInterfaceId: in.NetworkInterfaceId, AssignedIpv6Addresses: []string{}}
	return out, s.changeAddresses(ctx, *in.NetworkInterfaceId, func(_ *store.Tx, c *record.EC2NetworkInterface, free *freeAddresses) error {
		missing := slices.DeleteFunc(wanted, func(a netip.Addr) bool { return slices.Contains(c.Addresses(), a) })
		made, err := several(free.six, missing, int(aws.Value(in.Ipv6AddressCount)))
		for _, a := range made {
			c.Interface.Ipv6Addresses = append(c.Interface.Ipv6Addresses, ipv6Address(a))
			out.AssignedIpv6Addresses = append(out.AssignedIpv6Addresses, a.String())
		}
		return err
	})
}

// UnassignIpv6Addresses takes IPv6 addresses from an interface.
func (s *Server) UnassignIpv6Addresses(ctx context.Context, in *ec2.UnassignIpv6AddressesInput) (*ec2.UnassignIpv6AddressesOutput, error) {
	if err := refuseSet(map[string]bool{"Ipv6Prefix": len(in.Ipv6Prefixes) > 0}); err != nil {
		return nil, err
	}
	unwanted, err := parseAll(in.Ipv6Addresses, parseIPv6)
	switch {
	case err != nil:
		return nil, err
	case len(unwanted) == 0:
		return nil, missingParameter("ipv6Addresses")
	}
	out := &ec2.UnassignIpv6AddressesOutput{NetworkInterfaceId: in.NetworkInterfaceId, UnassignedIpv6Addresses: []string{}}
	return out, s.changeAddresses(ctx, *in.NetworkInterfaceId, func(_ *store.Tx, c *record.EC2NetworkInterface, _ *freeAddresses) error {
		for _, a := range unwanted {
			place := slices.IndexFunc(c.Interface.Ipv6Addresses, func(x ec2.NetworkInterfaceIpv6Address) bool { return *x.Ipv6Address == a.String() })
			switch {
			case place < 0:
				return badValue("The address %s is no IPv6 address of %s.", a, *in.NetworkInterfaceId)
			case aws.Value(c.Interface.Ipv6Addresses[place].IsPrimaryIpv6):
				return notPermitted("The address %s is the primary IPv6 address of %s.", a, *in.NetworkInterfaceId)
			}
			c.Interface.Ipv6Addresses = slices.Delete(c.Interface.Ipv6Addresses, place, place+1)
			out.UnassignedIpv6Addresses = append(out.UnassignedIpv6Addresses, a.String())
		}
		return nil
	})
}
