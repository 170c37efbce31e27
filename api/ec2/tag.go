package ec2

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

// Bounds of tags. Source: EC2 user guide, "Tag restrictions".
const (
	maxTags     = 50
	maxTagKey   = 127
	maxTagValue = 255
)

func checkTags(tags []ec2.Tag) error {
	if len(tags) > maxTags {
		return protocol.Errorf("TagLimitExceeded", "More than %d tags specified", maxTags)
	}
	seen := map[string]bool{}
	for _, t := range tags {
		k := text(t.Key)
		switch {
		case k == "" || len(k) > maxTagKey:
			return badValue("Tag key must be between 1 and %d characters long.", maxTagKey)
		case len(text(t.Value)) > maxTagValue:
			return badValue("Tag value exceeds the maximum length of %d characters.", maxTagValue)
		case strings.HasPrefix(k, "aws:"):
			return badValue("Tag keys starting with 'aws:' are reserved for internal use")
		case seen[k]:
			return badValue("Duplicate tag key '%s' specified.", k)
		}
		seen[k] = true
	}
	return nil
}

// mergeTags lays b over a.
func mergeTags(a, b []ec2.Tag) []ec2.Tag {
	out := slices.Clone(a)
	for _, t := range b {
		if i := slices.IndexFunc(out, func(o ec2.Tag) bool { return *o.Key == *t.Key }); i >= 0 {
			out[i] = t
		} else {
			out = append(out, t)
		}
	}
	return out
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
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	return &ec2.CreateTagsOutput{}, s.changeTags(ctx, in.Resources, func(tags []ec2.Tag) ([]ec2.Tag, error) {
		merged := mergeTags(tags, in.Tags)
		return merged, checkTags(merged)
	})
}

// DeleteTags takes tags from resources: the named ones (with a value, only if
// the tag has it), or all.
func (s *Server) DeleteTags(ctx context.Context, in *ec2.DeleteTagsInput) (*ec2.DeleteTagsOutput, error) {
	return &ec2.DeleteTagsOutput{}, s.changeTags(ctx, in.Resources, func(tags []ec2.Tag) ([]ec2.Tag, error) {
		if len(in.Tags) == 0 {
			return []ec2.Tag{}, nil
		}
		return slices.DeleteFunc(slices.Clone(tags), func(t ec2.Tag) bool {
			return slices.ContainsFunc(in.Tags, func(d ec2.Tag) bool {
				return text(d.Key) == *t.Key && (d.Value == nil || *d.Value == text(t.Value))
			})
		}), nil
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
	tags, next, err := describe(slices.Values(all), query{nil, in.Filters, in.MaxResults, in.NextToken}, tagFields, id, nil)
	return &ec2.DescribeTagsOutput{Tags: orEmpty(tags), NextToken: next}, err
}
