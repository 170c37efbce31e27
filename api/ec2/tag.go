package ec2

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/tags"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

// tagRules are EC2's. Sources: EC2 user guide, "Tag restrictions"; EC2 API, Tag, which
// counts characters.
var tagRules = tags.Rules[ec2.Tag]{
	Most: 50, MostKey: 127, MostValue: 256,
	TooMany:   func(most int) error { return protocol.Errorf("TagLimitExceeded", "More than %d tags specified", most) },
	BadKey:    func(most int) error { return badValue("Tag key must be between 1 and %d characters long.", most) },
	BadValue:  func(most int) error { return badValue("Tag value exceeds the maximum length of %d characters.", most) },
	Reserved:  func(string) error { return badValue("Tag keys starting with 'aws:' are reserved for internal use") },
	Duplicate: func(key string) error { return badValue("Duplicate tag key '%s' specified.", key) },
}

// changeRules are those of the calls that give tags to what there is, which name the
// key that is reserved.
var changeRules = func() tags.Rules[ec2.Tag] {
	r := tagRules
	r.Reserved = func(key string) error {
		return badValue("Value ( %s ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for internal use", key)
	}
	return r
}()

// taggable is a resource that can have tags.
type taggable struct {
	id   string
	kind ec2.ResourceType
	*tags.Resource[ec2.Tag]
}

// taggables are all resources of a scope that can have tags, kind by kind.
func taggables(r store.Reader, scope fargo.Scope) iter.Seq[taggable] {
	kinds := []iter.Seq[taggable]{
		taggablesIn(store.EC2VPCs, r, scope, ec2.ResourceTypeVpc,
			func(v *record.EC2VPC) (*string, *[]ec2.Tag) { return v.VPC.VpcId, &v.VPC.Tags }),
		taggablesIn(store.EC2Subnets, r, scope, ec2.ResourceTypeSubnet,
			func(n *record.EC2Subnet) (*string, *[]ec2.Tag) { return n.Subnet.SubnetId, &n.Subnet.Tags }),
		taggablesIn(store.EC2InternetGateways, r, scope, ec2.ResourceTypeInternetGateway,
			func(g *record.EC2InternetGateway) (*string, *[]ec2.Tag) {
				return g.Gateway.InternetGatewayId, &g.Gateway.Tags
			}),
		taggablesIn(store.EC2RouteTables, r, scope, ec2.ResourceTypeRouteTable,
			func(t *record.EC2RouteTable) (*string, *[]ec2.Tag) {
				return t.RouteTable.RouteTableId, &t.RouteTable.Tags
			}),
		taggablesIn(store.EC2NetworkInterfaces, r, scope, ec2.ResourceTypeNetworkInterface,
			func(i *record.EC2NetworkInterface) (*string, *[]ec2.Tag) {
				return i.Interface.NetworkInterfaceId, &i.Interface.TagSet
			}),
		taggablesIn(store.EC2Addresses, r, scope, ec2.ResourceTypeElasticIp,
			func(a *record.EC2Address) (*string, *[]ec2.Tag) { return a.Address.AllocationId, &a.Address.Tags }),
		taggablesIn(store.EC2SecurityGroups, r, scope, ec2.ResourceTypeSecurityGroup,
			func(g *record.EC2SecurityGroup) (*string, *[]ec2.Tag) { return g.Group.GroupId, &g.Group.Tags }),
		taggablesIn(store.EC2NATGateways, r, scope, ec2.ResourceTypeNatgateway,
			func(g *record.EC2NATGateway) (*string, *[]ec2.Tag) { return g.Gateway.NatGatewayId, &g.Gateway.Tags }),
		taggablesIn(store.EC2EgressOnlyGateways, r, scope, ec2.ResourceTypeEgressOnlyInternetGateway,
			func(g *record.EC2EgressOnlyGateway) (*string, *[]ec2.Tag) {
				return g.Gateway.EgressOnlyInternetGatewayId, &g.Gateway.Tags
			}),
		taggablesIn(store.EC2VPCEndpoints, r, scope, ec2.ResourceTypeVpcEndpoint,
			func(e *record.EC2VPCEndpoint) (*string, *[]ec2.Tag) {
				return e.Endpoint.VpcEndpointId, &e.Endpoint.Tags
			}),
		taggablesIn(store.EC2PrefixLists, r, scope, ec2.ResourceTypePrefixList,
			func(l *record.EC2PrefixList) (*string, *[]ec2.Tag) { return l.List.PrefixListId, &l.List.Tags }),
		taggablesIn(store.EC2FlowLogs, r, scope, ec2.ResourceTypeVpcFlowLog,
			func(f *record.EC2FlowLog) (*string, *[]ec2.Tag) { return f.FlowLog.FlowLogId, &f.FlowLog.Tags }),
		taggablesIn(store.EC2Volumes, r, scope, ec2.ResourceTypeVolume,
			func(v *record.EC2Volume) (*string, *[]ec2.Tag) { return v.Volume.VolumeId, &v.Volume.Tags }),
		taggableRules(r, scope),
		taggableACLs(r, scope),
		taggableDHCPOptions(r, scope),
		taggablePeerings(r, scope),
	}
	return func(yield func(taggable) bool) {
		for _, kind := range kinds {
			for t := range kind {
				if !yield(t) {
					return
				}
			}
		}
	}
}

// taggablesIn are the resources in a table; members are a record's id and tags.
func taggablesIn[R any](table *store.Table[R], r store.Reader, scope fargo.Scope, kind ec2.ResourceType, members func(*R) (*string, *[]ec2.Tag)) iter.Seq[taggable] {
	return func(yield func(taggable) bool) {
		for found := range table.Prefix(r, scope.Key()) {
			id, _ := members(found)
			resource := tags.Of(table, found, func(v *R) *[]ec2.Tag {
				_, list := members(v)
				return list
			})
			if !yield(taggable{*id, kind, resource}) {
				return
			}
		}
	}
}

// taggableRules are the rules in security groups.
func taggableRules(r store.Reader, scope fargo.Scope) iter.Seq[taggable] {
	return func(yield func(taggable) bool) {
		for g := range store.EC2SecurityGroups.Prefix(r, scope.Key()) {
			for i, rule := range g.Rules {
				put := func(tx *store.Tx, tags []ec2.Tag) error {
					changed := *g
					changed.Rules = slices.Clone(g.Rules)
					changed.Rules[i].Tags = tags
					store.EC2SecurityGroups.Put(tx, &changed)
					return nil
				}
				if !yield(taggable{*rule.SecurityGroupRuleId, ec2.ResourceTypeSecurityGroupRule, &tags.Resource[ec2.Tag]{Tags: rule.Tags, Put: put}}) {
					return
				}
			}
		}
	}
}

func (s *Server) changeTags(ctx context.Context, ids []string, change func([]ec2.Tag) ([]ec2.Tag, error)) error {
	if len(ids) == 0 {
		return missingParameter("resourceIdSet")
	}
	return s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		for _, id := range ids {
			found := false
			for t := range taggables(tx, scope) {
				if t.id != id {
					continue
				}
				if err := t.Change(tx, change); err != nil {
					return err
				}
				found = true
				break
			}
			if !found {
				return noResource(id)
			}
		}
		return nil
	})
}

// CreateTags adds tags to resources, or gives them other values.
func (s *Server) CreateTags(ctx context.Context, in *ec2.CreateTagsInput) (*ec2.CreateTagsOutput, error) {
	return &ec2.CreateTagsOutput{}, s.changeTags(ctx, in.Resources, func(tags []ec2.Tag) ([]ec2.Tag, error) {
		return changeRules.Merge(tags, in.Tags)
	})
}

// DeleteTags takes tags from resources: the named ones (with a value, only if
// the tag has it), or all.
func (s *Server) DeleteTags(ctx context.Context, in *ec2.DeleteTagsInput) (*ec2.DeleteTagsOutput, error) {
	return &ec2.DeleteTagsOutput{}, s.changeTags(ctx, in.Resources, func(has []ec2.Tag) ([]ec2.Tag, error) {
		if len(in.Tags) == 0 {
			return tags.RemoveAll(has), nil
		}
		return changeRules.RemoveMatching(has, in.Tags)
	})
}

var tagFields = fields[ec2.TagDescription]{
	operation: "DescribeTags",
	names: map[string]func(ec2.TagDescription) []string{
		"key":           one(func(t ec2.TagDescription) *string { return t.Key }),
		"value":         one(func(t ec2.TagDescription) *string { return t.Value }),
		"resource-id":   one(func(t ec2.TagDescription) *string { return t.ResourceId }),
		"resource-type": func(t ec2.TagDescription) []string { return []string{string(t.ResourceType)} },
	},
	tags: func(t ec2.TagDescription) []ec2.Tag { return []ec2.Tag{{Key: t.Key, Value: t.Value}} },
}

// DescribeTags shows the tags of all resources.
func (s *Server) DescribeTags(ctx context.Context, in *ec2.DescribeTagsInput) (*ec2.DescribeTagsOutput, error) {
	var all []ec2.TagDescription
	for r := range taggables(s.db.View(), api.CallFrom(ctx).Scope()) {
		for _, t := range r.Tags {
			all = append(all, ec2.TagDescription{Key: t.Key, Value: t.Value, ResourceId: &r.id, ResourceType: r.kind})
		}
	}
	id := func(t ec2.TagDescription) string { return *t.ResourceId + "\x00" + *t.Key }
	slices.SortFunc(all, func(a, b ec2.TagDescription) int { return strings.Compare(id(a), id(b)) })
	shown, next, err := describe(slices.Values(all), query{nil, in.Filters, pages.Ask(in, in.NextToken, in.MaxResults)}, tagFields, id, nil)
	return &ec2.DescribeTagsOutput{Tags: shown, NextToken: next}, err
}
