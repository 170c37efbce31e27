package ec2

import (
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/record"
)

// anInterface shortens the accessors below.
type anInterface = *record.EC2NetworkInterface

var interfaceFields = fields[anInterface]{
	operation: "DescribeNetworkInterfaces",
	names: map[string]func(anInterface) []string{
		"network-interface-id": one(func(i anInterface) *string { return i.Interface.NetworkInterfaceId }),
		"subnet-id":            one(func(i anInterface) *string { return i.Interface.SubnetId }),
		"vpc-id":               one(func(i anInterface) *string { return i.Interface.VpcId }),
		"availability-zone":    one(func(i anInterface) *string { return i.Interface.AvailabilityZone }),
		"availability-zone-id": one(func(i anInterface) *string { return i.Interface.AvailabilityZoneId }),
		"description":          one(func(i anInterface) *string { return i.Interface.Description }),
		"mac-address":          one(func(i anInterface) *string { return i.Interface.MacAddress }),
		"owner-id":             one(func(i anInterface) *string { return i.Interface.OwnerId }),
		"private-ip-address":   one(func(i anInterface) *string { return i.Interface.PrivateIpAddress }),
		"private-dns-name":     one(func(i anInterface) *string { return i.Interface.PrivateDnsName }),
		"requester-id":         one(func(i anInterface) *string { return i.Interface.RequesterId }),
		"requester-managed":    func(i anInterface) []string { return boolean(i.Interface.RequesterManaged) },
		"source-dest-check":    func(i anInterface) []string { return boolean(i.Interface.SourceDestCheck) },
		"interface-type":       func(i anInterface) []string { return []string{string(i.Interface.InterfaceType)} },
		"status":               func(i anInterface) []string { return []string{string(i.Interface.Status)} },
		"group-id":             anInterface.GroupIDs,
		"group-name": each(func(i anInterface) []ec2.GroupIdentifier { return i.Interface.Groups },
			func(g ec2.GroupIdentifier) *string { return g.GroupName }),

		"addresses.primary":            each(addresses, func(a ec2.NetworkInterfacePrivateIpAddress) *string { return &boolean(a.Primary)[0] }),
		"addresses.private-ip-address": each(addresses, func(a ec2.NetworkInterfacePrivateIpAddress) *string { return a.PrivateIpAddress }),

		"addresses.association.owner-id":  addressAssociations(func(a ec2.NetworkInterfaceAssociation) *string { return a.IpOwnerId }),
		"addresses.association.public-ip": addressAssociations(func(a ec2.NetworkInterfaceAssociation) *string { return a.PublicIp }),
		"association.allocation-id":       association(func(a ec2.NetworkInterfaceAssociation) *string { return a.AllocationId }),
		"association.association-id":      association(func(a ec2.NetworkInterfaceAssociation) *string { return a.AssociationId }),
		"association.ip-owner-id":         association(func(a ec2.NetworkInterfaceAssociation) *string { return a.IpOwnerId }),
		"association.public-ip":           association(func(a ec2.NetworkInterfaceAssociation) *string { return a.PublicIp }),
		"association.public-dns-name":     association(func(a ec2.NetworkInterfaceAssociation) *string { return a.PublicDnsName }),

		"attachment.attachment-id":         attachment(func(a ec2.NetworkInterfaceAttachment) *string { return a.AttachmentId }),
		"attachment.status":                attachment(func(a ec2.NetworkInterfaceAttachment) *string { return new(string(a.Status)) }),
		"attachment.instance-id":           attachment(func(a ec2.NetworkInterfaceAttachment) *string { return a.InstanceId }),
		"attachment.instance-owner-id":     attachment(func(a ec2.NetworkInterfaceAttachment) *string { return a.InstanceOwnerId }),
		"attachment.delete-on-termination": attachment(func(a ec2.NetworkInterfaceAttachment) *string { return &boolean(a.DeleteOnTermination)[0] }),
		"attachment.device-index":          attachment(func(a ec2.NetworkInterfaceAttachment) *string { return &number(new(aws.Value(a.DeviceIndex)))[0] }),
		"attachment.attach-time": attachment(func(a ec2.NetworkInterfaceAttachment) *string {
			if a.AttachTime == nil {
				return nil
			}
			return new(a.AttachTime.UTC().Format("2006-01-02T15:04:05.000Z"))
		}),

		"ipv6-addresses.ipv6-address": each(func(i anInterface) []ec2.NetworkInterfaceIpv6Address { return i.Interface.Ipv6Addresses },
			func(a ec2.NetworkInterfaceIpv6Address) *string { return a.Ipv6Address }),

		// No interface is managed by an operator.
		"operator.managed": func(anInterface) []string { return boolean(nil) },
	},
	absent: []string{"operator.principal"},
	tags:   func(i anInterface) []ec2.Tag { return i.Interface.TagSet },
}

func addresses(i anInterface) []ec2.NetworkInterfacePrivateIpAddress {
	return i.Interface.PrivateIpAddresses
}

func association(get func(ec2.NetworkInterfaceAssociation) *string) func(anInterface) []string {
	return one(func(i anInterface) *string {
		if i.Interface.Association == nil {
			return nil
		}
		return get(*i.Interface.Association)
	})
}

// addressAssociations lifts an accessor of the associations of all private addresses.
func addressAssociations(get func(ec2.NetworkInterfaceAssociation) *string) func(anInterface) []string {
	return each(addresses, func(p ec2.NetworkInterfacePrivateIpAddress) *string {
		if p.Association == nil {
			return nil
		}
		return get(*p.Association)
	})
}

func attachment(get func(ec2.NetworkInterfaceAttachment) *string) func(anInterface) []string {
	return one(func(i anInterface) *string {
		if i.Interface.Attachment == nil {
			return nil
		}
		return get(*i.Interface.Attachment)
	})
}
