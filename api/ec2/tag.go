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

// taggable is a resource and how to give it other tags.
type taggable struct {
	id   string
	kind ec2.ResourceType
	tags []ec2.Tag
	put  func(tx *store.Tx, tags []ec2.Tag)
}

// taggables are all resources of a scope that can have tags, kind by kind.
func taggables(r store.Reader, scope fargo.Scope) iter.Seq[taggable] {
	return func(yield func(taggable) bool) {
		for v := range store.EC2VPCs.Prefix(r, scope.Key()) {
			c := *v
			if !yield(taggable{*v.VPC.VpcId, ec2.ResourceTypeVpc, v.VPC.Tags, func(tx *store.Tx, t []ec2.Tag) { c.VPC.Tags = t; store.EC2VPCs.Put(tx, &c) }}) {
				return
			}
		}
		for v := range store.EC2Subnets.Prefix(r, scope.Key()) {
			c := *v
			if !yield(taggable{*v.Subnet.SubnetId, ec2.ResourceTypeSubnet, v.Subnet.Tags, func(tx *store.Tx, t []ec2.Tag) { c.Subnet.Tags = t; store.EC2Subnets.Put(tx, &c) }}) {
				return
			}
		}
		for v := range store.EC2InternetGateways.Prefix(r, scope.Key()) {
			c := *v
			if !yield(taggable{*v.Gateway.InternetGatewayId, ec2.ResourceTypeInternetGateway, v.Gateway.Tags, func(tx *store.Tx, t []ec2.Tag) {
				c.Gateway.Tags = t
				store.EC2InternetGateways.Put(tx, &c)
			}}) {
				return
			}
		}
		for v := range store.EC2RouteTables.Prefix(r, scope.Key()) {
			c := *v
			if !yield(taggable{*v.RouteTable.RouteTableId, ec2.ResourceTypeRouteTable, v.RouteTable.Tags, func(tx *store.Tx, t []ec2.Tag) {
				c.RouteTable.Tags = t
				store.EC2RouteTables.Put(tx, &c)
			}}) {
				return
			}
		}
		for v := range store.EC2NetworkInterfaces.Prefix(r, scope.Key()) {
			c := *v
			if !yield(taggable{*v.Interface.NetworkInterfaceId, ec2.ResourceTypeNetworkInterface, v.Interface.TagSet, func(tx *store.Tx, t []ec2.Tag) {
				c.Interface.TagSet = t
				store.EC2NetworkInterfaces.Put(tx, &c)
			}}) {
				return
			}
		}
		for v := range store.EC2SecurityGroups.Prefix(r, scope.Key()) {
			if !groupTaggables(v, yield) {
				return
			}
		}
	}
}

// groupTaggables are a security group and each of its rules.
func groupTaggables(g *record.EC2SecurityGroup, yield func(taggable) bool) bool {
	c := *g
	if !yield(taggable{*g.Group.GroupId, ec2.ResourceTypeSecurityGroup, g.Group.Tags, func(tx *store.Tx, t []ec2.Tag) { c.Group.Tags = t; store.EC2SecurityGroups.Put(tx, &c) }}) {
		return false
	}
	for i, rule := range g.Rules {
		if !yield(taggable{*rule.SecurityGroupRuleId, ec2.ResourceTypeSecurityGroupRule, rule.Tags, func(tx *store.Tx, t []ec2.Tag) {
			c := *g
			c.Rules = slices.Clone(g.Rules)
			c.Rules[i].Tags = t
			store.EC2SecurityGroups.Put(tx, &c)
		}}) {
			return false
		}
	}
	return true
}

// noResource tells that there is no resource of that id, in the words of its
// kind. Clients wait and try again when they know the resource is new.
func noResource(id string) error {
	switch prefix, _, _ := strings.Cut(id, "-"); prefix {
	case "vpc":
		return noVPC(id)
	case "subnet":
		return noSubnet(id)
	case "igw":
		return noGateway(id)
	case "rtb":
		return noRouteTable(id)
	case "sg":
		return noGroup(id)
	case "sgr":
		return noRule(id)
	case "eni":
		return noInterface(id)
	}
	return protocol.Errorf("InvalidID", "The ID '%s' is not valid", id)
}

func (s *Server) changeTags(ctx context.Context, ids []string, change func([]ec2.Tag) ([]ec2.Tag, error)) error {
	return s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		for _, id := range ids {
			found := false
			for t := range taggables(tx, scope) {
				if t.id != id {
					continue
				}
				tags, err := change(t.tags)
				if err != nil {
					return err
				}
				t.put(tx, tags)
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
		return tagRules.Merge(tags, in.Tags)
	})
}

// DeleteTags takes tags from resources: the named ones (with a value, only if
// the tag has it), or all.
func (s *Server) DeleteTags(ctx context.Context, in *ec2.DeleteTagsInput) (*ec2.DeleteTagsOutput, error) {
	return &ec2.DeleteTagsOutput{}, s.changeTags(ctx, in.Resources, func(has []ec2.Tag) ([]ec2.Tag, error) {
		if len(in.Tags) == 0 {
			return tags.RemoveAll(has), nil
		}
		return tagRules.RemoveMatching(has, in.Tags)
	})
}

var tagFields = fields[ec2.TagDescription]{
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
		for _, t := range r.tags {
			all = append(all, ec2.TagDescription{Key: t.Key, Value: t.Value, ResourceId: &r.id, ResourceType: r.kind})
		}
	}
	id := func(t ec2.TagDescription) string { return *t.ResourceId + "\x00" + *t.Key }
	slices.SortFunc(all, func(a, b ec2.TagDescription) int { return strings.Compare(id(a), id(b)) })
	shown, next, err := describe(slices.Values(all), query{nil, in.Filters, pages.Ask(in, in.NextToken, in.MaxResults)}, tagFields, id, nil)
	return &ec2.DescribeTagsOutput{Tags: shown, NextToken: next}, err
}
