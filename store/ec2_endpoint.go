package store

import "fargo/record"

// EC2VPCEndpointByID is the index of [EC2VPCEndpoints] by their ids alone.
const EC2VPCEndpointByID = "id"

// EC2VPCEndpoints are the endpoints in VPCs, by scope and id.
var EC2VPCEndpoints = NewTable("ec2vpcendpoint", (*record.EC2VPCEndpoint).Key,
	Index[record.EC2VPCEndpoint]{ByVPC, func(e *record.EC2VPCEndpoint) []string { return []string{*e.Endpoint.VpcId} }},
	Index[record.EC2VPCEndpoint]{EC2VPCEndpointByID, func(e *record.EC2VPCEndpoint) []string { return []string{*e.Endpoint.VpcEndpointId} }})

// EC2PrefixLists are the customers' managed prefix lists, by scope and id.
var EC2PrefixLists = NewTable("ec2prefixlist", (*record.EC2PrefixList).Key)

// EC2NetworkACLs are the network access control lists that are kept, by scope and id.
var EC2NetworkACLs = NewTable("ec2networkacl", (*record.EC2NetworkACL).Key,
	Index[record.EC2NetworkACL]{ByVPC, func(a *record.EC2NetworkACL) []string { return []string{*a.ACL.VpcId} }})

// EC2DHCPOptions are the sets of DHCP options, by scope and id.
var EC2DHCPOptions = NewTable("ec2dhcpoptions", (*record.EC2DHCPOptions).Key)
