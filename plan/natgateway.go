package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/record"
)

// natGatewayShown is how long a NAT gateway is shown after it was deleted, or could not
// be made. Source: VPC user guide, "NAT gateways": usually about an hour.
const natGatewayShown = time.Hour

// NATGatewayView is what AdvanceNATGateway decides by.
type NATGatewayView struct {
	Subnet    *record.EC2Subnet // nil when it is gone
	Attached  bool              // an Internet gateway is attached to the VPC
	Taken     func(netip.Addr) bool
	Addresses map[string]*record.EC2Address // Elastic IP addresses that the gateway names, by allocation id
	NewID     func(prefix string) string
}

// NATGatewayChange is what becomes of a NAT gateway and of what it has.
type NATGatewayChange struct {
	Gateway      *record.EC2NATGateway // as it was, when nothing changes; nil when it is no longer shown
	Interfaces   []*record.EC2NetworkInterface
	Gone         []string         // ids of interfaces, whose Elastic IP addresses stay allocated
	Associations []NATAssociation // with Interfaces
	// Next is when there is more to do; the zero Time: not by itself.
	Next time.Time
}

// NATAssociation is one of an Elastic IP address with the primary private address of an
// interface.
type NATAssociation struct {
	ID        string // "eipassoc-…"
	Address   *record.EC2Address
	Interface *record.EC2NetworkInterface
}

// AdvanceNATGateway moves a NAT gateway on. One that is pending gets its interfaces and
// its Elastic IP addresses and is available, or has failed and has nothing. One that is
// deleting gives all back. Addresses that are coming or going do so. In a state that is not
// known it stays.
// Source: VPC user guide, "Work with NAT gateways".
func AdvanceNATGateway(g *record.EC2NATGateway, v NATGatewayView, now time.Time) NATGatewayChange {
	switch g.Gateway.State {
	case ec2.NatGatewayStatePending, ec2.NatGatewayStateDeleting:
	case ec2.NatGatewayStateAvailable:
		if !slices.ContainsFunc(g.Gateway.NatGatewayAddresses, func(a ec2.NatGatewayAddress) bool { return coming(a) || going(a) }) {
			return NATGatewayChange{Gateway: g}
		}
	case ec2.NatGatewayStateFailed, ec2.NatGatewayStateDeleted:
		if next := aws.Value(g.Gateway.DeleteTime).Add(natGatewayShown); now.Before(next) {
			return NATGatewayChange{Gateway: g, Next: next}
		}
		return NATGatewayChange{}
	default:
		return NATGatewayChange{Gateway: g}
	}
	c := *g
	a := natAdvance{view: v, now: now, out: NATGatewayChange{Gateway: &c}}
	c.Gateway.NatGatewayAddresses = slices.Clone(g.Gateway.NatGatewayAddresses)
	switch g.Gateway.State {
	case ec2.NatGatewayStatePending:
		a.begin(&c)
	case ec2.NatGatewayStateAvailable:
		a.adjust(&c)
	case ec2.NatGatewayStateDeleting:
		for i := range c.Gateway.NatGatewayAddresses {
			a.release(&c.Gateway.NatGatewayAddresses[i])
		}
		c.Gateway.State = ec2.NatGatewayStateDeleted
		a.out.Next = now.Add(natGatewayShown)
	}
	return a.out
}

// coming reports whether the gateway is to have an address that it has not yet.
func coming(a ec2.NatGatewayAddress) bool {
	return a.Status == ec2.NatGatewayAddressStatusAssociating || a.Status == ec2.NatGatewayAddressStatusAssigning
}

// going reports whether the gateway is to lose an address.
func going(a ec2.NatGatewayAddress) bool {
	return a.Status == ec2.NatGatewayAddressStatusDisassociating || a.Status == ec2.NatGatewayAddressStatusUnassigning
}

// natAdvance is one step of a NAT gateway.
type natAdvance struct {
	view NATGatewayView
	now  time.Time
	out  NATGatewayChange
}

// natFailure is why a NAT gateway cannot have what it needs, as it shows that.
// Source: EC2 API, NatGateway.
type natFailure struct{ code, message string }

const noRoomForNAT = "Subnet has insufficient free addresses to create this NAT gateway"

// begin gives a new gateway all it needs, or nothing.
func (a *natAdvance) begin(g *record.EC2NATGateway) {
	err := a.possible(g)
	for i := range g.Gateway.NatGatewayAddresses {
		if err == nil {
			err = a.acquire(g, &g.Gateway.NatGatewayAddresses[i])
		}
	}
	if err == nil {
		g.Gateway.State = ec2.NatGatewayStateAvailable
		return
	}
	a.out.Interfaces, a.out.Associations = nil, nil
	g.Gateway.State, g.Gateway.DeleteTime = ec2.NatGatewayStateFailed, &a.now
	g.Gateway.FailureCode, g.Gateway.FailureMessage = &err.code, &err.message
	for i := range g.Gateway.NatGatewayAddresses {
		asked := &g.Gateway.NatGatewayAddresses[i]
		*asked = ec2.NatGatewayAddress{AllocationId: asked.AllocationId, IsPrimary: asked.IsPrimary, Status: ec2.NatGatewayAddressStatusFailed}
	}
	a.out.Next = a.now.Add(natGatewayShown)
}

func (a *natAdvance) possible(g *record.EC2NATGateway) *natFailure {
	switch {
	case a.view.Subnet == nil:
		return &natFailure{"InvalidSubnetID.NotFound", fmt.Sprintf("The specified subnet %s does not exist or could not be found.", *g.Gateway.SubnetId)}
	case !a.view.Subnet.Prefix().IsValid(): // an IPv6-only subnet
		return &natFailure{"InsufficientFreeAddressesInSubnet", noRoomForNAT}
	case g.Gateway.ConnectivityType == ec2.ConnectivityTypePublic && !a.view.Attached:
		return &natFailure{"Gateway.NotAttached", fmt.Sprintf("Network %s has no Internet gateway attached", *g.Gateway.VpcId)}
	}
	return nil
}

// adjust finishes what was begun with the addresses of a gateway that is available.
func (a *natAdvance) adjust(g *record.EC2NATGateway) {
	kept := g.Gateway.NatGatewayAddresses[:0]
	for _, address := range g.Gateway.NatGatewayAddresses {
		switch {
		case coming(address):
			err := a.possible(g)
			if err == nil {
				err = a.acquire(g, &address)
			}
			if err != nil {
				address.Status, address.FailureMessage = ec2.NatGatewayAddressStatusFailed, &err.message
			}
		case going(address):
			a.release(&address)
			continue
		}
		kept = append(kept, address)
	}
	g.Gateway.NatGatewayAddresses = kept
}

// acquire makes an address's interface, and associates its Elastic IP address with that.
func (a *natAdvance) acquire(g *record.EC2NATGateway, address *ec2.NatGatewayAddress) *natFailure {
	var wanted netip.Addr
	if address.PrivateIp != nil {
		wanted, _ = netip.ParseAddr(*address.PrivateIp)
	}
	subnet := a.view.Subnet
	i, ok := InterfaceAt(a.view.NewID("eni"), Candidate{
		Subnet: *subnet.Subnet.SubnetId, VPC: *subnet.Subnet.VpcId, Prefix: subnet.Prefix(), Taken: a.taken,
	}, wanted, nil)
	if !ok {
		return &natFailure{"InsufficientFreeAddressesInSubnet", noRoomForNAT}
	}
	eni := a.networkInterface(g, i.ID, i.MAC, i.Address)
	if address.AllocationId != nil {
		if err := a.associate(address, eni); err != nil {
			return err
		}
	}
	address.NetworkInterfaceId, address.PrivateIp = &i.ID, new(i.Address.String())
	address.Status = ec2.NatGatewayAddressStatusSucceeded
	a.out.Interfaces = append(a.out.Interfaces, eni)
	return nil
}

// taken reports whether an address is in use, or was given out in this step.
func (a *natAdvance) taken(addr netip.Addr) bool {
	return a.view.Taken(addr) || slices.ContainsFunc(a.out.Interfaces, func(i *record.EC2NetworkInterface) bool { return i.Address() == addr })
}

func (a *natAdvance) associate(address *ec2.NatGatewayAddress, eni *record.EC2NetworkInterface) *natFailure {
	id := *address.AllocationId
	elastic := a.view.Addresses[id]
	given := slices.ContainsFunc(a.out.Associations, func(n NATAssociation) bool { return *n.Address.Address.AllocationId == id })
	switch {
	case elastic == nil:
		return &natFailure{"InvalidAllocationID.NotFound", fmt.Sprintf("Elastic IP address %s could not be associated with this NAT gateway", id)}
	case given, elastic.Address.AssociationId != nil:
		return &natFailure{"Resource.AlreadyAssociated", fmt.Sprintf("Elastic IP address %s is already associated", id)}
	}
	association := NATAssociation{a.view.NewID("eipassoc"), elastic, eni}
	address.AssociationId, address.PublicIp = &association.ID, elastic.Address.PublicIp
	a.out.Associations = append(a.out.Associations, association)
	return nil
}

// release gives an address back: its interface goes.
func (a *natAdvance) release(address *ec2.NatGatewayAddress) {
	if address.NetworkInterfaceId != nil {
		a.out.Gone = append(a.out.Gone, *address.NetworkInterfaceId)
	}
}

// natInterfaceType is the type of a NAT gateway's interface as EC2 shows it, which is
// not as its model has it. Source: DescribeNetworkInterfaces in public reports, such as
// github.com/terraform-aws-modules/terraform-aws-vpc/issues/283.
const natInterfaceType ec2.NetworkInterfaceType = "nat_gateway"

func (a *natAdvance) networkInterface(g *record.EC2NATGateway, id, mac string, address netip.Addr) *record.EC2NetworkInterface {
	private, name := address.String(), fargo.PrivateDNSName(g.Scope.Region, address)
	return &record.EC2NetworkInterface{Scope: g.Scope, CreatedAt: a.now, Interface: ec2.NetworkInterface{
		NetworkInterfaceId: &id, SubnetId: g.Gateway.SubnetId, VpcId: g.Gateway.VpcId, OwnerId: &g.Scope.Account, MacAddress: &mac,
		AvailabilityZone: a.view.Subnet.Subnet.AvailabilityZone, Description: new("Interface for NAT Gateway " + *g.Gateway.NatGatewayId),
		Groups: []ec2.GroupIdentifier{}, InterfaceType: natInterfaceType, PrivateDnsName: &name, PrivateIpAddress: &private,
		PrivateIpAddresses: []ec2.NetworkInterfacePrivateIpAddress{{Primary: new(true), PrivateDnsName: &name, PrivateIpAddress: &private}},
		Ipv6Addresses:      []ec2.NetworkInterfaceIpv6Address{}, TagSet: []ec2.Tag{},
		RequesterManaged: new(true), SourceDestCheck: new(false), Status: ec2.NetworkInterfaceStatusInUse,
		Attachment: &ec2.NetworkInterfaceAttachment{
			AttachmentId: new(a.view.NewID("ela-attach")), DeleteOnTermination: new(false), DeviceIndex: new(int32(1)),
			InstanceOwnerId: new("amazon-aws"), Status: ec2.AttachmentStatusAttached, AttachTime: &a.now,
		},
	}}
}
