package ec2

import (
	"context"
	"net/netip"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

var interfaceFields = fields[*record.EC2NetworkInterface]{
	names: map[string]func(*record.EC2NetworkInterface) []string{
		"network-interface-id": one(func(i *record.EC2NetworkInterface) *string { return i.Interface.NetworkInterfaceId }),
		"subnet-id":            one(func(i *record.EC2NetworkInterface) *string { return i.Interface.SubnetId }),
		"vpc-id":               one(func(i *record.EC2NetworkInterface) *string { return i.Interface.VpcId }),
		"availability-zone":    one(func(i *record.EC2NetworkInterface) *string { return i.Interface.AvailabilityZone }),
		"description":          one(func(i *record.EC2NetworkInterface) *string { return i.Interface.Description }),
		"mac-address":          one(func(i *record.EC2NetworkInterface) *string { return i.Interface.MacAddress }),
		"owner-id":             one(func(i *record.EC2NetworkInterface) *string { return i.Interface.OwnerId }),
		"private-ip-address":   one(func(i *record.EC2NetworkInterface) *string { return i.Interface.PrivateIpAddress }),
		"private-dns-name":     one(func(i *record.EC2NetworkInterface) *string { return i.Interface.PrivateDnsName }),
		"requester-id":         one(func(i *record.EC2NetworkInterface) *string { return i.Interface.RequesterId }),
		"addresses.private-ip-address": one(func(i *record.EC2NetworkInterface) *string {
			return i.Interface.PrivateIpAddress
		}),
		"requester-managed": func(i *record.EC2NetworkInterface) []string { return boolean(i.Interface.RequesterManaged) },
		"source-dest-check": func(i *record.EC2NetworkInterface) []string { return boolean(i.Interface.SourceDestCheck) },
		"interface-type":    func(i *record.EC2NetworkInterface) []string { return []string{string(i.Interface.InterfaceType)} },
		"status":            func(i *record.EC2NetworkInterface) []string { return []string{string(i.Interface.Status)} },
		"group-id":          (*record.EC2NetworkInterface).GroupIDs,
		"group-name": func(i *record.EC2NetworkInterface) (out []string) {
			for _, g := range i.Interface.Groups {
				out = append(out, *g.GroupName)
			}
			return out
		},
		"attachment.attachment-id": attachmentField(func(a *ec2.NetworkInterfaceAttachment) *string { return a.AttachmentId }),
		"attachment.status":        attachmentField(func(a *ec2.NetworkInterfaceAttachment) *string { return new(string(a.Status)) }),
		"attachment.instance-id":   attachmentField(func(a *ec2.NetworkInterfaceAttachment) *string { return a.InstanceId }),
		"attachment.instance-owner-id": attachmentField(func(a *ec2.NetworkInterfaceAttachment) *string {
			return a.InstanceOwnerId
		}),
	},
	tags: func(i *record.EC2NetworkInterface) []ec2.Tag { return i.Interface.TagSet },
}

func attachmentField(get func(*ec2.NetworkInterfaceAttachment) *string) func(*record.EC2NetworkInterface) []string {
	return func(i *record.EC2NetworkInterface) []string {
		if i.Interface.Attachment == nil {
			return nil
		}
		if v := get(i.Interface.Attachment); v != nil {
			return []string{*v}
		}
		return nil
	}
}

func noInterface(id string) error {
	return protocol.Errorf("InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%s' does not exist", id)
}

// DescribeNetworkInterfaces shows interfaces, those of tasks among them.
func (s *Server) DescribeNetworkInterfaces(ctx context.Context, in *ec2.DescribeNetworkInterfacesInput) (*ec2.DescribeNetworkInterfacesOutput, error) {
	found, next, err := describe(store.EC2NetworkInterfaces.Prefix(s.db.View(), api.CallFrom(ctx).Scope().Key()),
		query{in.NetworkInterfaceIds, in.Filters, pages.Ask(in, in.NextToken, in.MaxResults)}, interfaceFields,
		func(i *record.EC2NetworkInterface) string { return *i.Interface.NetworkInterfaceId }, noInterface)
	out := &ec2.DescribeNetworkInterfacesOutput{NetworkInterfaces: []ec2.NetworkInterface{}, NextToken: next}
	for _, i := range found {
		out.NetworkInterfaces = append(out.NetworkInterfaces, i.Interface)
	}
	return out, err
}

// DeleteNetworkInterface deletes an interface that is nobody's. A task's goes
// with its task, a load balancer's with the load balancer.
func (s *Server) DeleteNetworkInterface(ctx context.Context, in *ec2.DeleteNetworkInterfaceInput) (*ec2.DeleteNetworkInterfaceOutput, error) {
	return &ec2.DeleteNetworkInterfaceOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		i, ok := store.EC2NetworkInterfaces.Get(tx, scope.Key(*in.NetworkInterfaceId))
		if !ok {
			return noInterface(*in.NetworkInterfaceId)
		}
		if i.TaskARN != "" || aws.Value(i.Interface.RequesterManaged) {
			return protocol.Errorf("OperationNotPermitted", "You are not allowed to manage 'ela-attach' attachments.")
		}
		store.EC2NetworkInterfaces.Delete(tx, i.Key())
		return nil
	})
}

// DescribeNetworkAcls shows each VPC's default access control list, which lets
// everything pass. There are no others.
func (s *Server) DescribeNetworkAcls(ctx context.Context, in *ec2.DescribeNetworkAclsInput) (*ec2.DescribeNetworkAclsOutput, error) {
	view := s.db.View()
	all := func(yield func(ec2.NetworkAcl) bool) {
		for v := range store.EC2VPCs.Prefix(view, api.CallFrom(ctx).Scope().Key()) {
			if !yield(defaultACL(view, v)) {
				return
			}
		}
	}
	out, next, err := describe(all, query{in.NetworkAclIds, in.Filters, pages.Ask(in, in.NextToken, in.MaxResults)}, aclFields,
		func(a ec2.NetworkAcl) string { return *a.NetworkAclId },
		func(id string) error { return notFound("NetworkAclID", "networkAcl ID", id) })
	return &ec2.DescribeNetworkAclsOutput{NetworkAcls: out, NextToken: next}, err
}

var aclFields = fields[ec2.NetworkAcl]{
	names: map[string]func(ec2.NetworkAcl) []string{
		"network-acl-id": one(func(a ec2.NetworkAcl) *string { return a.NetworkAclId }),
		"vpc-id":         one(func(a ec2.NetworkAcl) *string { return a.VpcId }),
		"owner-id":       one(func(a ec2.NetworkAcl) *string { return a.OwnerId }),
		"default":        func(a ec2.NetworkAcl) []string { return boolean(a.IsDefault) },
		"association.subnet-id": func(a ec2.NetworkAcl) (out []string) {
			for _, s := range a.Associations {
				out = append(out, *s.SubnetId)
			}
			return out
		},
	},
	tags: func(ec2.NetworkAcl) []ec2.Tag { return nil },
}

// defaultACL is a VPC's default access control list. Its id follows from the
// VPC's.
func defaultACL(r store.Reader, v *record.EC2VPC) ec2.NetworkAcl {
	id := "acl" + (*v.VPC.VpcId)[len("vpc"):]
	acl := ec2.NetworkAcl{
		NetworkAclId: &id, VpcId: v.VPC.VpcId, OwnerId: &v.Scope.Account, IsDefault: new(true),
		Tags: []ec2.Tag{}, Associations: []ec2.NetworkAclAssociation{},
	}
	for n := range store.EC2Subnets.By(r, store.ByVPC, *v.VPC.VpcId) {
		acl.Associations = append(acl.Associations, ec2.NetworkAclAssociation{
			NetworkAclId: &id, SubnetId: n.Subnet.SubnetId, NetworkAclAssociationId: new("aclassoc" + (*n.Subnet.SubnetId)[len("subnet"):]),
		})
	}
	everything := netip.PrefixFrom(netip.IPv4Unspecified(), 0).String()
	for _, egress := range []bool{true, false} {
		acl.Entries = append(acl.Entries,
			ec2.NetworkAclEntry{CidrBlock: &everything, Egress: &egress, Protocol: new("-1"), RuleAction: ec2.RuleActionAllow, RuleNumber: new(int32(100))},
			ec2.NetworkAclEntry{CidrBlock: &everything, Egress: &egress, Protocol: new("-1"), RuleAction: ec2.RuleActionDeny, RuleNumber: new(int32(32767))})
	}
	return acl
}
