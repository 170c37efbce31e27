package plan

import (
	"net/netip"
	"time"

	"fargo"
	"fargo/aws/ec2"
	"fargo/aws/efs"
	"fargo/record"
)

// MountTargetInterface is the network interface of an EFS mount target at an address of
// its subnet.
// Source: EFS user guide, "Managing mount targets": the interface's description.
func MountTargetInterface(m *record.EFSMountTarget, subnet *record.EC2Subnet, address netip.Addr, groups []ec2.GroupIdentifier, now time.Time) *record.EC2NetworkInterface {
	t := &m.MountTarget
	id, private, name := *t.NetworkInterfaceId, address.String(), fargo.PrivateDNSName(m.Scope.Region, address)
	return &record.EC2NetworkInterface{Scope: m.Scope, CreatedAt: now, Interface: ec2.NetworkInterface{
		NetworkInterfaceId: &id, SubnetId: t.SubnetId, VpcId: t.VpcId, OwnerId: &m.Scope.Account, MacAddress: new(macAddress(id)),
		AvailabilityZone: subnet.Subnet.AvailabilityZone, Description: new("EFS mount target for " + *t.FileSystemId + " (" + *t.MountTargetId + ")"),
		Groups: groups, InterfaceType: efsInterfaceType, PrivateDnsName: &name, PrivateIpAddress: &private,
		PrivateIpAddresses: []ec2.NetworkInterfacePrivateIpAddress{{Primary: new(true), PrivateDnsName: &name, PrivateIpAddress: &private}},
		Ipv6Addresses:      []ec2.NetworkInterfaceIpv6Address{}, TagSet: []ec2.Tag{},
		RequesterManaged: new(true), SourceDestCheck: new(true), Status: ec2.NetworkInterfaceStatusInUse,
		Attachment: &ec2.NetworkInterfaceAttachment{
			AttachmentId: new(fargo.NewEC2ID("ela-attach")), DeleteOnTermination: new(false), DeviceIndex: new(int32(1)),
			InstanceOwnerId: new("amazon-efs"), Status: ec2.AttachmentStatusAttached, AttachTime: &now,
		},
	}}
}

// efsInterfaceType is the type of a mount target's interface.
// Source: EC2 API, NetworkInterface, interfaceType.
const efsInterfaceType ec2.NetworkInterfaceType = "efs"

// MountTargetConflict says why a file system cannot have one more mount target in a zone
// of a VPC, and is empty when it can.
// Source: EFS API, CreateMountTarget; the sentences as public reports have them.
func MountTargetConflict(has []*record.EFSMountTarget, vpc, zone string) string {
	for _, m := range has {
		switch {
		case *m.MountTarget.VpcId != vpc:
			return "requested subnet for new mount target is not in the same VPC as existing mount targets"
		case *m.MountTarget.AvailabilityZoneName == zone:
			return "mount target already exists in this AZ"
		}
	}
	return ""
}

// FileSystemName is the name of an EFS resource: the value of its tag Name, nil without.
func FileSystemName(tags []efs.Tag) *string {
	for _, t := range tags {
		if *t.Key == "Name" {
			return t.Value
		}
	}
	return nil
}
