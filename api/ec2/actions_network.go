package ec2

import (
	"maps"

	"fargo/api"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/store"
)

// with are the rows of a table and of others.
func with(rows map[string]api.Row, others ...map[string]api.Row) map[string]api.Row {
	for _, o := range others {
		maps.Copy(rows, o)
	}
	return rows
}

// aclActions are the rows of the operations on network ACLs.
var aclActions = map[string]api.Row{
	"CreateNetworkAcl": on(func(_ *api.Query, in *ec2.CreateNetworkAclInput) []string {
		return append([]string{"network-acl/*"}, typed(in.VpcId)...)
	}).
		Tags(func(in *ec2.CreateNetworkAclInput) map[string]string { return tagsOf(in.TagSpecifications) }).
		Also(func(q *api.Query, in *ec2.CreateNetworkAclInput) []api.Access { return tagNew(q, in.TagSpecifications) }),
	"DeleteNetworkAcl":       on(func(_ *api.Query, in *ec2.DeleteNetworkAclInput) []string { return typed(in.NetworkAclId) }),
	"CreateNetworkAclEntry":  on(func(_ *api.Query, in *ec2.CreateNetworkAclEntryInput) []string { return typed(in.NetworkAclId) }),
	"ReplaceNetworkAclEntry": on(func(_ *api.Query, in *ec2.ReplaceNetworkAclEntryInput) []string { return typed(in.NetworkAclId) }).Inferred(),
	"DeleteNetworkAclEntry":  on(func(_ *api.Query, in *ec2.DeleteNetworkAclEntryInput) []string { return typed(in.NetworkAclId) }),
	"ReplaceNetworkAclAssociation": on(func(q *api.Query, in *ec2.ReplaceNetworkAclAssociationInput) []string {
		if _, subnet, err := findACLAssociation(q.State, q.Scope(), aws.Value(in.AssociationId)); err == nil {
			return append(typed(in.NetworkAclId), typed(&subnet)...)
		}
		return typed(in.NetworkAclId)
	}).Inferred(),
}

// dhcpActions are the rows of the operations on DHCP options.
var dhcpActions = map[string]api.Row{
	"CreateDhcpOptions": on(func(_ *api.Query, _ *ec2.CreateDhcpOptionsInput) []string { return []string{"dhcp-options/*"} }).
		Tags(func(in *ec2.CreateDhcpOptionsInput) map[string]string { return tagsOf(in.TagSpecifications) }).
		Also(func(q *api.Query, in *ec2.CreateDhcpOptionsInput) []api.Access {
			return tagNew(q, in.TagSpecifications)
		}),
	"DeleteDhcpOptions": on(func(_ *api.Query, in *ec2.DeleteDhcpOptionsInput) []string { return typed(in.DhcpOptionsId) }),
	"AssociateDhcpOptions": on(func(_ *api.Query, in *ec2.AssociateDhcpOptionsInput) []string {
		if aws.Value(in.DhcpOptionsId) == noDHCPOptions {
			return typed(in.VpcId)
		}
		return append(typed(in.DhcpOptionsId), typed(in.VpcId)...)
	}).Inferred(),
}

// blockActions are the rows of the operations on the blocks of VPCs and subnets.
var blockActions = map[string]api.Row{
	"AssociateVpcCidrBlock": on(func(_ *api.Query, in *ec2.AssociateVpcCidrBlockInput) []string { return typed(in.VpcId) }).Inferred(),
	"DisassociateVpcCidrBlock": on(func(q *api.Query, in *ec2.DisassociateVpcCidrBlockInput) []string {
		if v := vpcOfBlock(q.State, q.Scope(), aws.Value(in.AssociationId)); v != nil {
			return typed(v.VPC.VpcId)
		}
		return []string{"vpc/*"}
	}).Inferred(),
	"AssociateSubnetCidrBlock": on(func(_ *api.Query, in *ec2.AssociateSubnetCidrBlockInput) []string { return typed(in.SubnetId) }).Inferred(),
	"DisassociateSubnetCidrBlock": on(func(q *api.Query, in *ec2.DisassociateSubnetCidrBlockInput) []string {
		if n := subnetOfBlock(q.State, q.Scope(), aws.Value(in.AssociationId)); n != nil {
			return typed(n.Subnet.SubnetId)
		}
		return []string{"subnet/*"}
	}).Inferred(),
}

// interfaceActions are the rows of the operations on the addresses of interfaces.
var interfaceActions = map[string]api.Row{
	"AssignPrivateIpAddresses": on(func(_ *api.Query, in *ec2.AssignPrivateIpAddressesInput) []string {
		return typed(in.NetworkInterfaceId)
	}),
	"UnassignPrivateIpAddresses": on(func(_ *api.Query, in *ec2.UnassignPrivateIpAddressesInput) []string {
		return typed(in.NetworkInterfaceId)
	}),
	"AssignIpv6Addresses":   on(func(_ *api.Query, in *ec2.AssignIpv6AddressesInput) []string { return typed(in.NetworkInterfaceId) }),
	"UnassignIpv6Addresses": on(func(_ *api.Query, in *ec2.UnassignIpv6AddressesInput) []string { return typed(in.NetworkInterfaceId) }),
	"ResetNetworkInterfaceAttribute": on(func(_ *api.Query, in *ec2.ResetNetworkInterfaceAttributeInput) []string {
		return typed(in.NetworkInterfaceId)
	}),
}

// peeringActions are the rows of the operations on peering connections.
var peeringActions = map[string]api.Row{
	"CreateVpcPeeringConnection": on(func(_ *api.Query, in *ec2.CreateVpcPeeringConnectionInput) []string {
		return append([]string{"vpc-peering-connection/*"}, typed(in.VpcId)...)
	}).
		Tags(func(in *ec2.CreateVpcPeeringConnectionInput) map[string]string { return tagsOf(in.TagSpecifications) }).
		Also(func(q *api.Query, in *ec2.CreateVpcPeeringConnectionInput) []api.Access {
			return tagNew(q, in.TagSpecifications)
		}).Inferred(),
	"AcceptVpcPeeringConnection": on(func(q *api.Query, in *ec2.AcceptVpcPeeringConnectionInput) []string {
		all := typed(in.VpcPeeringConnectionId)
		for p := range store.EC2Peerings.By(q.State, store.PeeringByID, aws.Value(in.VpcPeeringConnectionId)) {
			all = append(all, typed(p.Connection.AccepterVpcInfo.VpcId)...)
		}
		return all
	}).Inferred(),
	"RejectVpcPeeringConnection": on(func(_ *api.Query, in *ec2.RejectVpcPeeringConnectionInput) []string {
		return typed(in.VpcPeeringConnectionId)
	}).Inferred(),
	"DeleteVpcPeeringConnection": on(func(_ *api.Query, in *ec2.DeleteVpcPeeringConnectionInput) []string {
		return typed(in.VpcPeeringConnectionId)
	}).Inferred(),
	"ModifyVpcPeeringConnectionOptions": on(func(_ *api.Query, in *ec2.ModifyVpcPeeringConnectionOptionsInput) []string {
		return typed(in.VpcPeeringConnectionId)
	}).Inferred(),
	"DescribeStaleSecurityGroups": anywhere,
}
