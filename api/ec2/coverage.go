package ec2

import "fargo/api"

// NotActedOn lists the fields that are kept and shown but change nothing yet.
var NotActedOn = []api.Gap{
	{Operation: "CreateVpc", Field: "InstanceTenancy", Why: "always default: there are no instances"},
	{Operation: "ModifySubnetAttribute", Field: "MapPublicIpOnLaunch", Why: "concerns instances, of which there are none: tasks ask for a public address themselves, and an interface of a user's own gets none, as on AWS"},
	{Operation: "ModifyAddressAttribute", Field: "DomainName", Why: "kept and shown: the reverse record stays that of the public name, and it is not checked that the name leads to the address"},
	{Operation: "AllocateAddress", Field: "Address", Why: "any free address of the range can be had, whoever had it before"},
	{Operation: "ModifySubnetAttribute", Field: "PrivateDnsHostnameTypeOnLaunch", Why: "names are always made of the address"},
	{Operation: "CreateRoute", Field: "NetworkInterfaceId", Why: "kept as a blackhole: an interface forwards nothing that is not its own"},
	{Operation: "DisassociateNatGatewayAddress", Field: "MaxDrainDurationSeconds", Why: "an address goes at once"},
	{Operation: "UnassignPrivateNatGatewayAddress", Field: "MaxDrainDurationSeconds", Why: "an address goes at once"},
	{Operation: "CreateDhcpOptions", Field: "DhcpConfigurations", Why: "domain-name and domain-name-servers act on tasks that start later; ntp-servers, netbios-name-servers, netbios-node-type and ipv6-address-preferred-lease-time do not: there are no instances"},
	{Operation: "ModifySubnetAttribute", Field: "EnableResourceNameDnsAAAARecordOnLaunch", Why: "names are always made of the address"},
	{Operation: "ModifyNetworkInterfaceAttribute", Field: "SourceDestCheck", Why: "a user's own interface is on no machine"},
	{Operation: "ModifyNetworkInterfaceAttribute", Field: "EnablePrimaryIpv6", Why: "a user's own interface is on no machine"},
	{Operation: "CreateFlowLogs", Field: "DeliverLogsPermissionArn", Why: "the role must exist and trust the service; what it may do is not asked"},
	{Operation: "CreateFlowLogs", Field: "LogFormat", Why: "a record has - for the fields of instances, container ids, sublocations, next hops, services of AWS, the TCP flags of accepted packets, and why one was rejected"},
}
