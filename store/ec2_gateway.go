package store

import (
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/record"
)

// The indexes of EC2Addresses.
const (
	AddressByPublicIP  = "public ip"
	AddressByInterface = "interface" // by the id of the interface it is associated with
)

// EC2Addresses are the Elastic IP addresses, by scope and allocation id.
var EC2Addresses = NewTable("ec2address", (*record.EC2Address).Key,
	Index[record.EC2Address]{AddressByPublicIP, func(a *record.EC2Address) []string { return []string{*a.Address.PublicIp} }},
	Index[record.EC2Address]{AddressByInterface, func(a *record.EC2Address) []string { return some(aws.Value(a.Address.NetworkInterfaceId)) }},
)

// EC2NATGateways are the NAT gateways, by scope and id.
var EC2NATGateways = NewTable("ec2natgateway", (*record.EC2NATGateway).Key,
	Index[record.EC2NATGateway]{ByVPC, func(g *record.EC2NATGateway) []string { return []string{*g.Gateway.VpcId} }})

// EC2EgressOnlyGateways are the egress-only Internet gateways, by scope and id.
var EC2EgressOnlyGateways = NewTable("ec2egressonlygateway", (*record.EC2EgressOnlyGateway).Key,
	Index[record.EC2EgressOnlyGateway]{ByVPC, func(g *record.EC2EgressOnlyGateway) []string { return attachedTo(g.Gateway.Attachments) }})

// PeeringByID is the index of EC2Peerings by their id alone: the two VPCs may be in
// different accounts and regions.
const PeeringByID = "id"

// EC2Peerings are the connections between VPCs, by the scope of the VPC that asked and
// id; ByVPC finds them by either VPC.
var EC2Peerings = NewTable("ec2peering", (*record.EC2Peering).Key,
	Index[record.EC2Peering]{PeeringByID, func(p *record.EC2Peering) []string { return []string{*p.Connection.VpcPeeringConnectionId} }},
	Index[record.EC2Peering]{ByVPC, func(p *record.EC2Peering) []string {
		return []string{*p.Connection.RequesterVpcInfo.VpcId, *p.Connection.AccepterVpcInfo.VpcId}
	}},
)

// attachedTo are the ids of the VPCs that a gateway is attached to.
func attachedTo(attachments []ec2.InternetGatewayAttachment) (vpcs []string) {
	for _, a := range attachments {
		vpcs = append(vpcs, some(aws.Value(a.VpcId))...)
	}
	return vpcs
}

// some is a list of the value, if it is not empty.
func some(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}
