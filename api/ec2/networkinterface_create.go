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
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// maxInterfaceGroups is how many security groups an interface can be in.
// Source: VPC user guide, "Amazon VPC quotas".
const maxInterfaceGroups = 5

// CreateNetworkInterface makes an interface that is nobody's: it holds an
// address, and no machine has it.
func (s *Server) CreateNetworkInterface(ctx context.Context, in *ec2.CreateNetworkInterfaceInput) (*ec2.CreateNetworkInterfaceOutput, error) {
	if err := refuseSet(map[string]bool{
		"InterfaceType": in.InterfaceType != "", "Ipv4Prefix": len(in.Ipv4Prefixes) > 0, "Ipv4PrefixCount": in.Ipv4PrefixCount != nil,
		"Ipv6Prefix": len(in.Ipv6Prefixes) > 0, "Ipv6PrefixCount": in.Ipv6PrefixCount != nil,
		"ConnectionTrackingSpecification": in.ConnectionTrackingSpecification != nil, "Operator": in.Operator != nil,
	}); err != nil {
		return nil, err
	}
	tags, err := requestTags(in.TagSpecifications, ec2.ResourceTypeNetworkInterface)
	if err != nil {
		return nil, err
	}
	wanted, err := wantedAddresses(in)
	if err != nil {
		return nil, err
	}
	request, err := requestOf(in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	var made *record.EC2NetworkInterface
	err = s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		made, err = repeatedOne(request, store.EC2NetworkInterfaces.Prefix(tx, scope.Key()))
		if made != nil || err != nil {
			return err
		}
		n, err := findSubnet(tx, scope, *in.SubnetId)
		if err != nil {
			return err
		}
		groups, err := interfaceGroups(tx, scope, *n.Subnet.VpcId, in.Groups)
		if err != nil {
			return err
		}
		id := fargo.NewEC2ID("eni")
		given, err := wanted.of(&freeAddresses{tx, n, id, map[netip.Addr]bool{}})
		if err != nil {
			return err
		}
		i, _ := plan.InterfaceAt(id, plan.Candidate{
			Subnet: *in.SubnetId, VPC: *n.Subnet.VpcId, Zone: *n.Subnet.AvailabilityZone, Prefix: n.Prefix(),
			Taken: func(netip.Addr) bool { return false }, // it is not, see freeAddresses
		}, given.primary, nil)
		made = newInterface(scope, &i, n, groups, in.Description, tags, now)
		made.EC2Request = request
		for _, a := range given.secondary {
			made.Interface.PrivateIpAddresses = append(made.Interface.PrivateIpAddresses, privateAddress(scope.Region, a, false))
		}
		for _, a := range given.six {
			made.Interface.Ipv6Addresses = append(made.Interface.Ipv6Addresses, ipv6Address(a))
		}
		if aws.Value(in.EnablePrimaryIpv6) {
			if err := makePrimary6(made); err != nil {
				return err
			}
		}
		store.EC2NetworkInterfaces.Put(tx, made)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ec2.CreateNetworkInterfaceOutput{NetworkInterface: new(interfaceView(s.db.View(), made)), ClientToken: in.ClientToken}, nil
}

// interfaceGroups finds an interface's groups: those named, or the VPC's
// default one.
func interfaceGroups(r store.Reader, scope fargo.Scope, vpc string, ids []string) ([]ec2.GroupIdentifier, error) {
	if len(ids) > maxInterfaceGroups {
		return nil, protocol.Errorf("SecurityGroupsPerInterfaceLimitExceeded", "The maximum number of security groups per interface has been reached.")
	}
	var out []ec2.GroupIdentifier
	for g := range store.EC2SecurityGroups.By(r, store.ByVPC, vpc) {
		if slices.Contains(ids, *g.Group.GroupId) || (len(ids) == 0 && *g.Group.GroupName == "default") {
			out = append(out, ec2.GroupIdentifier{GroupId: g.Group.GroupId, GroupName: g.Group.GroupName})
		}
	}
	for _, id := range ids {
		if slices.ContainsFunc(out, func(g ec2.GroupIdentifier) bool { return *g.GroupId == id }) {
			continue
		}
		if _, err := findGroup(r, scope, &id, nil); err != nil {
			return nil, err
		}
		return nil, badValue("You have specified two resources that belong to different networks.")
	}
	return out, nil
}

func newInterface(scope fargo.Scope, i *desired.Interface, n *record.EC2Subnet, groups []ec2.GroupIdentifier, description *string, tags []ec2.Tag, now time.Time) *record.EC2NetworkInterface {
	made := &record.EC2NetworkInterface{Scope: scope, CreatedAt: now, Interface: ec2.NetworkInterface{
		NetworkInterfaceId: &i.ID, SubnetId: &i.Subnet, VpcId: &i.VPC, OwnerId: &scope.Account, MacAddress: &i.MAC,
		AvailabilityZone: n.Subnet.AvailabilityZone,
		Description:      new(aws.Value(description)), Groups: groups, InterfaceType: ec2.NetworkInterfaceTypeInterface,
		PrivateIpAddresses: []ec2.NetworkInterfacePrivateIpAddress{},
		Ipv6Addresses:      []ec2.NetworkInterfaceIpv6Address{}, RequesterManaged: new(false), SourceDestCheck: new(true),
		Status: ec2.NetworkInterfaceStatusAvailable, TagSet: tags,
	}}
	if i.Address.IsValid() {
		primary := privateAddress(scope.Region, i.Address, true)
		made.Interface.PrivateDnsName, made.Interface.PrivateIpAddress = primary.PrivateDnsName, primary.PrivateIpAddress
		made.Interface.PrivateIpAddresses = append(made.Interface.PrivateIpAddresses, primary)
	}
	return made
}
