package ec2

import (
	"slices"
	"strings"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/store"
)

// Actions are what the operations ask IAM for. What does not exist yet is named
// without its id: "subnet/*".
// Source: Service Authorization Reference, "Amazon EC2"; of tags, EC2 user guide,
// "Grant permission to tag Amazon EC2 resources during creation".
var Actions = &api.Actions{
	Prefix:          "ec2",
	TagOnCreate:     "ec2:CreateTags",
	CreateActionKey: "ec2:CreateAction",
	Tags: func(r store.Reader, arn string) map[string]string {
		a, _ := fargo.ParseARN(arn)
		for t := range taggables(r, a.Scope()) {
			if t.id == a.Name() {
				return tagMap(t.Tags)
			}
		}
		return nil
	},
	Attributes: attributes,
	Rows: with(map[string]api.Row{
		"CreateVpc": on(func(_ *api.Query, _ *ec2.CreateVpcInput) []string { return []string{"vpc/*"} }).
			Tags(func(in *ec2.CreateVpcInput) map[string]string { return tagsOf(in.TagSpecifications) }).
			Also(func(q *api.Query, in *ec2.CreateVpcInput) []api.Access { return tagNew(q, in.TagSpecifications) }),
		"DeleteVpc":            on(func(_ *api.Query, in *ec2.DeleteVpcInput) []string { return typed(in.VpcId) }),
		"DescribeVpcAttribute": on(func(_ *api.Query, in *ec2.DescribeVpcAttributeInput) []string { return typed(in.VpcId) }),
		"ModifyVpcAttribute": on(func(_ *api.Query, in *ec2.ModifyVpcAttributeInput) []string { return typed(in.VpcId) }).
			Key("ec2:Attribute", func(_ *api.Query, in *ec2.ModifyVpcAttributeInput) (names []string) {
				for name, value := range map[string]*ec2.AttributeBooleanValue{
					"EnableDnsHostnames": in.EnableDnsHostnames, "EnableDnsSupport": in.EnableDnsSupport,
					"EnableNetworkAddressUsageMetrics": in.EnableNetworkAddressUsageMetrics,
				} {
					if value != nil {
						names = append(names, name)
					}
				}
				return names
			}),
		"CreateDefaultVpc":        anywhere.Inferred(),
		"GetSecurityGroupsForVpc": on(func(_ *api.Query, in *ec2.GetSecurityGroupsForVpcInput) []string { return typed(in.VpcId) }).Inferred(),

		"CreateSubnet": on(func(_ *api.Query, in *ec2.CreateSubnetInput) []string {
			return append([]string{"subnet/*"}, typed(in.VpcId)...)
		}).
			Tags(func(in *ec2.CreateSubnetInput) map[string]string { return tagsOf(in.TagSpecifications) }).
			Also(func(q *api.Query, in *ec2.CreateSubnetInput) []api.Access { return tagNew(q, in.TagSpecifications) }),
		"CreateDefaultSubnet":   anywhere.Inferred(),
		"DeleteSubnet":          on(func(_ *api.Query, in *ec2.DeleteSubnetInput) []string { return typed(in.SubnetId) }).Inferred(),
		"ModifySubnetAttribute": on(func(_ *api.Query, in *ec2.ModifySubnetAttributeInput) []string { return typed(in.SubnetId) }).Inferred(),

		"CreateSecurityGroup": on(func(_ *api.Query, in *ec2.CreateSecurityGroupInput) []string {
			return append([]string{"security-group/*"}, typed(in.VpcId)...)
		}).
			Tags(func(in *ec2.CreateSecurityGroupInput) map[string]string { return tagsOf(in.TagSpecifications) }).
			Also(func(q *api.Query, in *ec2.CreateSecurityGroupInput) []api.Access {
				return tagNew(q, in.TagSpecifications)
			}),
		"DeleteSecurityGroup": on(func(q *api.Query, in *ec2.DeleteSecurityGroupInput) []string {
			return groupNamed(q, in.GroupId, in.GroupName)
		}).Inferred(),
		"AuthorizeSecurityGroupIngress": on(func(q *api.Query, in *ec2.AuthorizeSecurityGroupIngressInput) []string {
			return groupNamed(q, in.GroupId, in.GroupName)
		}).
			Tags(func(in *ec2.AuthorizeSecurityGroupIngressInput) map[string]string {
				return tagsOf(in.TagSpecifications)
			}).
			Also(func(q *api.Query, in *ec2.AuthorizeSecurityGroupIngressInput) []api.Access {
				return tagNew(q, in.TagSpecifications)
			}),
		"AuthorizeSecurityGroupEgress": on(func(_ *api.Query, in *ec2.AuthorizeSecurityGroupEgressInput) []string { return typed(in.GroupId) }).
			Tags(func(in *ec2.AuthorizeSecurityGroupEgressInput) map[string]string { return tagsOf(in.TagSpecifications) }).
			Also(func(q *api.Query, in *ec2.AuthorizeSecurityGroupEgressInput) []api.Access {
				return tagNew(q, in.TagSpecifications)
			}),
		"RevokeSecurityGroupIngress": on(func(q *api.Query, in *ec2.RevokeSecurityGroupIngressInput) []string {
			return append(groupNamed(q, in.GroupId, in.GroupName), typedAll(in.SecurityGroupRuleIds)...)
		}),
		"RevokeSecurityGroupEgress": on(func(_ *api.Query, in *ec2.RevokeSecurityGroupEgressInput) []string {
			return append(typed(in.GroupId), typedAll(in.SecurityGroupRuleIds)...)
		}),
		"ModifySecurityGroupRules": on(func(_ *api.Query, in *ec2.ModifySecurityGroupRulesInput) []string {
			resources := typed(in.GroupId)
			for _, r := range in.SecurityGroupRules {
				resources = append(resources, typed(r.SecurityGroupRuleId)...)
			}
			return resources
		}).Inferred(),
		"UpdateSecurityGroupRuleDescriptionsIngress": on(func(q *api.Query, in *ec2.UpdateSecurityGroupRuleDescriptionsIngressInput) []string {
			return groupNamed(q, in.GroupId, in.GroupName)
		}).Inferred(),
		"UpdateSecurityGroupRuleDescriptionsEgress": on(func(q *api.Query, in *ec2.UpdateSecurityGroupRuleDescriptionsEgressInput) []string {
			return groupNamed(q, in.GroupId, in.GroupName)
		}).Inferred(),

		"CreateRouteTable": on(func(_ *api.Query, in *ec2.CreateRouteTableInput) []string {
			return append([]string{"route-table/*"}, typed(in.VpcId)...)
		}).
			Tags(func(in *ec2.CreateRouteTableInput) map[string]string { return tagsOf(in.TagSpecifications) }).
			Also(func(q *api.Query, in *ec2.CreateRouteTableInput) []api.Access { return tagNew(q, in.TagSpecifications) }),
		"DeleteRouteTable": on(func(_ *api.Query, in *ec2.DeleteRouteTableInput) []string { return typed(in.RouteTableId) }).Inferred(),
		"CreateRoute":      on(func(_ *api.Query, in *ec2.CreateRouteInput) []string { return typed(in.RouteTableId) }),
		"ReplaceRoute":     on(func(_ *api.Query, in *ec2.ReplaceRouteInput) []string { return typed(in.RouteTableId) }),
		"DeleteRoute":      on(func(_ *api.Query, in *ec2.DeleteRouteInput) []string { return typed(in.RouteTableId) }),
		"AssociateRouteTable": on(func(_ *api.Query, in *ec2.AssociateRouteTableInput) []string {
			return append(append(typed(in.RouteTableId), typed(in.SubnetId)...), typed(in.GatewayId)...)
		}),
		"DisassociateRouteTable": on(func(q *api.Query, in *ec2.DisassociateRouteTableInput) []string {
			return associated(q, in.AssociationId)
		}).Inferred(),
		"ReplaceRouteTableAssociation": on(func(q *api.Query, in *ec2.ReplaceRouteTableAssociationInput) []string {
			return append(typed(in.RouteTableId), associated(q, in.AssociationId)...)
		}).Inferred(),

		"CreateInternetGateway": on(func(_ *api.Query, _ *ec2.CreateInternetGatewayInput) []string { return []string{"internet-gateway/*"} }).
			Tags(func(in *ec2.CreateInternetGatewayInput) map[string]string { return tagsOf(in.TagSpecifications) }).
			Also(func(q *api.Query, in *ec2.CreateInternetGatewayInput) []api.Access {
				return tagNew(q, in.TagSpecifications)
			}),
		"DeleteInternetGateway": on(func(_ *api.Query, in *ec2.DeleteInternetGatewayInput) []string { return typed(in.InternetGatewayId) }).Inferred(),
		"AttachInternetGateway": on(func(_ *api.Query, in *ec2.AttachInternetGatewayInput) []string {
			return append(typed(in.InternetGatewayId), typed(in.VpcId)...)
		}),
		"DetachInternetGateway": on(func(_ *api.Query, in *ec2.DetachInternetGatewayInput) []string {
			return append(typed(in.InternetGatewayId), typed(in.VpcId)...)
		}),

		"CreateNetworkInterface": on(func(_ *api.Query, in *ec2.CreateNetworkInterfaceInput) []string {
			return append(append([]string{"network-interface/*"}, typed(in.SubnetId)...), typedAll(in.Groups)...)
		}).
			Tags(func(in *ec2.CreateNetworkInterfaceInput) map[string]string { return tagsOf(in.TagSpecifications) }).
			Also(func(q *api.Query, in *ec2.CreateNetworkInterfaceInput) []api.Access {
				return tagNew(q, in.TagSpecifications)
			}),
		"DeleteNetworkInterface": on(func(_ *api.Query, in *ec2.DeleteNetworkInterfaceInput) []string { return typed(in.NetworkInterfaceId) }),
		"ModifyNetworkInterfaceAttribute": on(func(_ *api.Query, in *ec2.ModifyNetworkInterfaceAttributeInput) []string {
			return typed(in.NetworkInterfaceId)
		}),

		"AllocateAddress": on(func(_ *api.Query, _ *ec2.AllocateAddressInput) []string { return []string{"elastic-ip/*"} }).
			Tags(func(in *ec2.AllocateAddressInput) map[string]string { return tagsOf(in.TagSpecifications) }).
			Also(func(q *api.Query, in *ec2.AllocateAddressInput) []api.Access { return tagNew(q, in.TagSpecifications) }),
		"AssociateAddress": on(func(q *api.Query, in *ec2.AssociateAddressInput) []string {
			return append(append(addressNamed(q, in.AllocationId, in.PublicIp), typed(in.InstanceId)...), typed(in.NetworkInterfaceId)...)
		}),
		"DisassociateAddress": on(func(q *api.Query, in *ec2.DisassociateAddressInput) []string {
			if a := addressByAssociation(q.State, q.Scope(), aws.Value(in.AssociationId)); a != nil {
				return append(typed(a.Address.AllocationId), typed(a.Address.NetworkInterfaceId)...)
			}
			return addressNamed(q, nil, in.PublicIp)
		}).Inferred(),
		"ReleaseAddress": on(func(q *api.Query, in *ec2.ReleaseAddressInput) []string {
			return addressNamed(q, in.AllocationId, in.PublicIp)
		}).Inferred(),
		"ModifyAddressAttribute": on(func(_ *api.Query, in *ec2.ModifyAddressAttributeInput) []string { return typed(in.AllocationId) }).Inferred(),
		"ResetAddressAttribute":  on(func(_ *api.Query, in *ec2.ResetAddressAttributeInput) []string { return typed(in.AllocationId) }).Inferred(),

		"CreateNatGateway": on(func(_ *api.Query, in *ec2.CreateNatGatewayInput) []string {
			return append(append(append([]string{"natgateway/*"}, typed(in.SubnetId)...), typed(in.AllocationId)...), typedAll(in.SecondaryAllocationIds)...)
		}).
			Tags(func(in *ec2.CreateNatGatewayInput) map[string]string { return tagsOf(in.TagSpecifications) }).
			Also(func(q *api.Query, in *ec2.CreateNatGatewayInput) []api.Access { return tagNew(q, in.TagSpecifications) }).Inferred(),
		"DeleteNatGateway": on(func(_ *api.Query, in *ec2.DeleteNatGatewayInput) []string { return typed(in.NatGatewayId) }).Inferred(),
		"AssociateNatGatewayAddress": on(func(_ *api.Query, in *ec2.AssociateNatGatewayAddressInput) []string {
			return append(typed(in.NatGatewayId), typedAll(in.AllocationIds)...)
		}).Inferred(),
		"DisassociateNatGatewayAddress": on(func(_ *api.Query, in *ec2.DisassociateNatGatewayAddressInput) []string {
			return typed(in.NatGatewayId)
		}).Inferred(),
		"AssignPrivateNatGatewayAddress": on(func(_ *api.Query, in *ec2.AssignPrivateNatGatewayAddressInput) []string {
			return typed(in.NatGatewayId)
		}).Inferred(),
		"UnassignPrivateNatGatewayAddress": on(func(_ *api.Query, in *ec2.UnassignPrivateNatGatewayAddressInput) []string {
			return typed(in.NatGatewayId)
		}).Inferred(),

		"CreateEgressOnlyInternetGateway": on(func(_ *api.Query, in *ec2.CreateEgressOnlyInternetGatewayInput) []string {
			return append([]string{"egress-only-internet-gateway/*"}, typed(in.VpcId)...)
		}).
			Tags(func(in *ec2.CreateEgressOnlyInternetGatewayInput) map[string]string {
				return tagsOf(in.TagSpecifications)
			}).
			Also(func(q *api.Query, in *ec2.CreateEgressOnlyInternetGatewayInput) []api.Access {
				return tagNew(q, in.TagSpecifications)
			}).Inferred(),
		"DeleteEgressOnlyInternetGateway": on(func(_ *api.Query, in *ec2.DeleteEgressOnlyInternetGatewayInput) []string {
			return typed(in.EgressOnlyInternetGatewayId)
		}).Inferred(),

		"CreateVpcEndpoint": on(func(_ *api.Query, in *ec2.CreateVpcEndpointInput) []string {
			return append(append([]string{"vpc-endpoint/*"}, typed(in.VpcId)...), typedAll(slices.Concat(in.RouteTableIds, in.SubnetIds, in.SecurityGroupIds))...)
		}).
			Tags(func(in *ec2.CreateVpcEndpointInput) map[string]string { return tagsOf(in.TagSpecifications) }).
			Also(func(q *api.Query, in *ec2.CreateVpcEndpointInput) []api.Access {
				return tagNew(q, in.TagSpecifications)
			}).Inferred(),
		"ModifyVpcEndpoint": on(func(_ *api.Query, in *ec2.ModifyVpcEndpointInput) []string {
			return append(typed(in.VpcEndpointId), typedAll(slices.Concat(in.AddRouteTableIds, in.RemoveRouteTableIds,
				in.AddSubnetIds, in.RemoveSubnetIds, in.AddSecurityGroupIds, in.RemoveSecurityGroupIds))...)
		}).Inferred(),
		"DeleteVpcEndpoints": on(func(_ *api.Query, in *ec2.DeleteVpcEndpointsInput) []string { return typedAll(in.VpcEndpointIds) }).Inferred(),

		"CreateManagedPrefixList": on(func(_ *api.Query, _ *ec2.CreateManagedPrefixListInput) []string { return []string{"prefix-list/*"} }).
			Tags(func(in *ec2.CreateManagedPrefixListInput) map[string]string { return tagsOf(in.TagSpecifications) }).
			Also(func(q *api.Query, in *ec2.CreateManagedPrefixListInput) []api.Access {
				return tagNew(q, in.TagSpecifications)
			}).Inferred(),
		"ModifyManagedPrefixList": on(func(_ *api.Query, in *ec2.ModifyManagedPrefixListInput) []string { return typed(in.PrefixListId) }).Inferred(),
		"RestoreManagedPrefixListVersion": on(func(_ *api.Query, in *ec2.RestoreManagedPrefixListVersionInput) []string {
			return typed(in.PrefixListId)
		}).Inferred(),
		"DeleteManagedPrefixList":     on(func(_ *api.Query, in *ec2.DeleteManagedPrefixListInput) []string { return typed(in.PrefixListId) }).Inferred(),
		"GetManagedPrefixListEntries": on(func(_ *api.Query, in *ec2.GetManagedPrefixListEntriesInput) []string { return typed(in.PrefixListId) }).Inferred(),
		"GetManagedPrefixListAssociations": on(func(_ *api.Query, in *ec2.GetManagedPrefixListAssociationsInput) []string {
			return typed(in.PrefixListId)
		}).Inferred(),

		"CreateFlowLogs": on(func(_ *api.Query, in *ec2.CreateFlowLogsInput) []string {
			return append([]string{"vpc-flow-log/*"}, typedAll(in.ResourceIds)...)
		}).
			Tags(func(in *ec2.CreateFlowLogsInput) map[string]string { return tagsOf(in.TagSpecifications) }).
			Also(func(q *api.Query, in *ec2.CreateFlowLogsInput) []api.Access {
				return append(tagNew(q, in.TagSpecifications), api.PassRole(flowLogsService, in.DeliverLogsPermissionArn)...)
			}).Inferred(),
		"DeleteVolume":   on(func(_ *api.Query, in *ec2.DeleteVolumeInput) []string { return typed(in.VolumeId) }),
		"DeleteFlowLogs": on(func(_ *api.Query, in *ec2.DeleteFlowLogsInput) []string { return typedAll(in.FlowLogIds) }).Inferred(),

		"CreateTags": on(func(_ *api.Query, in *ec2.CreateTagsInput) []string { return typedAll(in.Resources) }).
			Tags(func(in *ec2.CreateTagsInput) map[string]string { return tagMap(in.Tags) }),
		"DeleteTags": on(func(_ *api.Query, in *ec2.DeleteTagsInput) []string { return typedAll(in.Resources) }).
			Tags(func(in *ec2.DeleteTagsInput) map[string]string { return tagMap(in.Tags) }),

		"DescribeAccountAttributes":          anywhere,
		"DescribeAddresses":                  anywhere,
		"DescribeAddressesAttribute":         anywhere,
		"DescribeAvailabilityZones":          anywhere,
		"DescribeDhcpOptions":                anywhere,
		"DescribeEgressOnlyInternetGateways": anywhere,
		"DescribeFlowLogs":                   anywhere.Inferred(),
		"DescribeInstances":                  anywhere,
		"DescribeInternetGateways":           anywhere,
		"DescribeManagedPrefixLists":         anywhere,
		"DescribeNatGateways":                anywhere,
		"DescribeNetworkAcls":                anywhere,
		"DescribeNetworkInterfaceAttribute":  anywhere,
		"DescribeNetworkInterfaces":          anywhere,
		"DescribePrefixLists":                anywhere,
		"DescribeRegions":                    anywhere,
		"DescribeRouteTables":                anywhere,
		"DescribeSecurityGroupReferences":    anywhere,
		"DescribeSecurityGroupRules":         anywhere,
		"DescribeSecurityGroups":             anywhere,
		"DescribeSubnets":                    anywhere,
		"DescribeTags":                       anywhere,
		"DescribeVpcClassicLink":             anywhere,
		"DescribeVpcClassicLinkDnsSupport":   anywhere,
		"DescribeVpcEndpointServices":        anywhere,
		"DescribeVpcEndpoints":               anywhere,
		"DescribeVpcPeeringConnections":      anywhere,
		"DescribeVolumes":                    anywhere,
		"DescribeVpcs":                       anywhere,
	}, aclActions, dhcpActions, blockActions, interfaceActions, peeringActions),
}

// anywhere is the row of an operation whose action has no resources.
var anywhere = api.AnyResource[any]().Key("ec2:Region", func(q *api.Query, _ *any) []string { return []string{q.Region} })

// on is the row of an operation on resources, each a type and an id.
func on[In any](resources func(*api.Query, *In) []string) api.Rule[In] {
	return api.On(func(q *api.Query, in *In) []string {
		named := resources(q, in)
		for i, r := range named {
			named[i] = q.ARN("ec2", r)
		}
		return named
	}).Key("ec2:Region", func(q *api.Query, _ *In) []string { return []string{q.Region} })
}

// types are the types of resources by how their ids begin.
// Source: Service Authorization Reference, "Resource types defined by Amazon EC2".
var types = map[string]string{
	"vpc": "vpc", "subnet": "subnet", "sg": "security-group", "sgr": "security-group-rule", "rtb": "route-table",
	"igw": "internet-gateway", "eni": "network-interface", "i": "instance", "eipalloc": "elastic-ip", "nat": "natgateway",
	"acl": "network-acl", "dopt": "dhcp-options", "vpce": "vpc-endpoint", "eigw": "egress-only-internet-gateway", "pl": "prefix-list", "pcx": "vpc-peering-connection", "vol": "volume", "snap": "snapshot",
	"fl": "vpc-flow-log",
}

// typed puts an id's type before it; nothing for no id.
func typed(id *string) []string {
	if aws.Value(id) == "" {
		return nil
	}
	prefix, _, _ := strings.Cut(*id, "-")
	kind, ok := types[prefix]
	if !ok {
		kind = "*"
	}
	return []string{kind + "/" + *id}
}

func typedAll(ids []string) []string {
	var all []string
	for _, id := range ids {
		all = append(all, typed(&id)...)
	}
	return all
}

// groupNamed is a security group by its id, or by its name in the default VPC.
func groupNamed(q *api.Query, id, name *string) []string {
	if aws.Value(id) != "" || aws.Value(name) == "" {
		return typed(id)
	}
	for g := range store.EC2SecurityGroups.Prefix(q.State, q.Scope().Key()) {
		v, ok := store.EC2VPCs.Get(q.State, q.Scope().Key(*g.Group.VpcId))
		if *g.Group.GroupName == *name && ok && aws.Value(v.VPC.IsDefault) {
			return typed(g.Group.GroupId)
		}
	}
	return []string{"security-group/*"}
}

// addressNamed is an Elastic IP address by its allocation, or by itself.
func addressNamed(q *api.Query, allocation, ip *string) []string {
	if aws.Value(allocation) != "" || aws.Value(ip) == "" {
		return typed(allocation)
	}
	if a := addressByIP(q.State, q.Scope(), *ip); a != nil {
		return typed(a.Address.AllocationId)
	}
	return []string{"elastic-ip/*"}
}

// associated are the route table and what it is associated with.
func associated(q *api.Query, association *string) []string {
	for t := range store.EC2RouteTables.Prefix(q.State, q.Scope().Key()) {
		for _, a := range t.RouteTable.Associations {
			if aws.Value(a.RouteTableAssociationId) == aws.Value(association) {
				return append(append(typed(t.RouteTable.RouteTableId), typed(a.SubnetId)...), typed(a.GatewayId)...)
			}
		}
	}
	return nil
}

// tagsOf are the tags of all that is created.
func tagsOf(specs []ec2.TagSpecification) map[string]string {
	var tags []ec2.Tag
	for _, s := range specs {
		tags = append(tags, s.Tags...)
	}
	return tagMap(tags)
}

// tagNew asks for the tags of each type of what is created.
func tagNew(q *api.Query, specs []ec2.TagSpecification) []api.Access {
	var all []api.Access
	for _, s := range specs {
		if len(s.Tags) > 0 {
			all = append(all, q.TagOnCreate(q.ARN("ec2", string(s.ResourceType)+"/*")))
		}
	}
	return all
}

func tagMap(tags []ec2.Tag) map[string]string {
	return api.TagMap(tags, func(t ec2.Tag) (key, value *string) { return t.Key, t.Value })
}

// attributes are the condition keys of what a resource is in.
func attributes(r store.Reader, arn, key string) []string {
	a, _ := fargo.ParseARN(arn)
	scope, id := a.Scope(), a.Name()
	kind, _, _ := strings.Cut(a.Resource, "/")
	if a, ok := store.EC2Addresses.Get(r, scope.Key(id)); ok && kind == "elastic-ip" {
		return map[string][]string{
			"ec2:allocationid": {id}, "ec2:publicipaddress": {*a.Address.PublicIp}, "ec2:domain": {string(a.Address.Domain)},
		}[key]
	}
	switch key {
	case "ec2:" + strings.ReplaceAll(kind, "-", "") + "id": // ec2:VpcID, ec2:SecurityGroupID, …
		return []string{id}
	case "ec2:vpc":
		if vpc := vpcOf(r, scope, kind, id); vpc != nil {
			return []string{scope.ARN("ec2", "vpc/"+*vpc)}
		}
	case "ec2:subnet":
		if i, ok := store.EC2NetworkInterfaces.Get(r, scope.Key(id)); ok {
			return []string{scope.ARN("ec2", "subnet/"+*i.Interface.SubnetId)}
		}
	}
	return nil
}

// vpcOf is the id of the VPC that something is in.
func vpcOf(r store.Reader, scope fargo.Scope, kind, id string) *string {
	switch kind {
	case "subnet":
		if s, ok := store.EC2Subnets.Get(r, scope.Key(id)); ok {
			return s.Subnet.VpcId
		}
	case "security-group":
		if g, ok := store.EC2SecurityGroups.Get(r, scope.Key(id)); ok {
			return g.Group.VpcId
		}
	case "route-table":
		if t, ok := store.EC2RouteTables.Get(r, scope.Key(id)); ok {
			return t.RouteTable.VpcId
		}
	case "network-interface":
		if i, ok := store.EC2NetworkInterfaces.Get(r, scope.Key(id)); ok {
			return i.Interface.VpcId
		}
	case "natgateway":
		if g, ok := store.EC2NATGateways.Get(r, scope.Key(id)); ok {
			return g.Gateway.VpcId
		}
	case "vpc-endpoint":
		if e, ok := store.EC2VPCEndpoints.Get(r, scope.Key(id)); ok {
			return e.Endpoint.VpcId
		}
	}
	return nil
}
