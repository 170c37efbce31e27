package ec2

import "fargo/api"

// NotActedOn lists the fields that are kept and shown but change nothing yet.
var NotActedOn = []api.Gap{
	{Operation: "CreateVpc", Field: "InstanceTenancy", Why: "always default: there are no instances"},
	{Operation: "ModifyVpcAttribute", Field: "EnableDnsHostnames", Why: "no interface has a public name"},
	{Operation: "ModifySubnetAttribute", Field: "MapPublicIpOnLaunch", Why: "tasks ask for a public address themselves"},
	{Operation: "ModifySubnetAttribute", Field: "PrivateDnsHostnameTypeOnLaunch", Why: "names are always made of the address"},
	{Operation: "AuthorizeSecurityGroupIngress", Field: "IpPermissions.Ipv6Ranges", Why: "kept; VPCs are IPv4 only"},
	{Operation: "AuthorizeSecurityGroupEgress", Field: "IpPermissions.Ipv6Ranges", Why: "kept; VPCs are IPv4 only"},
}
