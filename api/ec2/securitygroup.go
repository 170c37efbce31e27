package ec2

import (
	"context"
	"regexp"
	"strings"
	"time"
	"unicode"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

// groupText is what a group's name and description may be made of.
// Source: EC2 API, CreateSecurityGroup.
var groupText = regexp.MustCompile(`^[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{1,255}$`)

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

// newSecurityGroup makes a group that lets everything out and nothing in. IPv6 is let out
// when the VPC has it.
func newSecurityGroup(v *record.EC2VPC, name, description string, tags []ec2.Tag) *record.EC2SecurityGroup {
	id, scope, vpc := fargo.NewEC2ID("sg"), v.Scope, *v.VPC.VpcId
	g := &record.EC2SecurityGroup{
		Scope: scope,
		Group: ec2.SecurityGroup{
			GroupId: &id, GroupName: &name, Description: &description, VpcId: &vpc, OwnerId: &scope.Account,
			SecurityGroupArn: new(scope.ARN("ec2", "security-group/"+id)), Tags: aws.List(tags),
		},
	}
	g.Rules = append(g.Rules, egressToAll(g, new(everywhere), nil))
	if len(v.CIDRs6()) > 0 {
		g.Rules = append(g.Rules, egressToAll(g, nil, new(everywhere6)))
	}
	return g
}

// CreateSecurityGroup makes a group in a VPC, the default one if none is named.
func (s *Server) CreateSecurityGroup(ctx context.Context, in *ec2.CreateSecurityGroupInput) (*ec2.CreateSecurityGroupOutput, error) {
	name, description := aws.Value(in.GroupName), aws.Value(in.Description)
	switch {
	case name == "":
		return nil, missingParameter("GroupName")
	case !groupText.MatchString(name):
		return nil, badValue("Value (%s) for parameter GroupName is invalid. Character sets beyond ASCII are not supported.", name)
	case strings.HasPrefix(name, "sg-"):
		return nil, badValue("Value (%s) for parameter GroupName is invalid. Group names may not be in the format sg-*.", name)
	case name == "default":
		return nil, protocol.Errorf("InvalidGroup.Reserved", "Cannot use reserved security group name: default")
	case description == "":
		return nil, missingParameter("GroupDescription")
	case !ascii(description):
		return nil, badValue("Value (%s) for parameter GroupDescription is invalid. Character sets beyond ASCII are not supported.", description)
	case !groupText.MatchString(description):
		return nil, badValue("Invalid security group description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*")
	}
	tags, err := requestTags(in.TagSpecifications, ec2.ResourceTypeSecurityGroup)
	if err != nil {
		return nil, err
	}
	var g *record.EC2SecurityGroup
	err = s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		v, err := vpcOrDefault(tx, scope, aws.Value(in.VpcId))
		if err != nil {
			return err
		}
		vpc := *v.VPC.VpcId
		for o := range store.EC2SecurityGroups.By(tx, store.ByVPC, vpc) {
			if *o.Group.GroupName == name {
				return protocol.Errorf("InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", name, vpc)
			}
		}
		g = newSecurityGroup(v, name, description, tags)
		store.EC2SecurityGroups.Put(tx, g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &ec2.CreateSecurityGroupOutput{GroupId: g.Group.GroupId, SecurityGroupArn: g.Group.SecurityGroupArn}
	if len(tags) > 0 { // none are not shown as [] here
		out.Tags = tags
	}
	return out, nil
}

// vpcOrDefault is a VPC, the default one if none is named.
func vpcOrDefault(r store.Reader, scope fargo.Scope, id string) (*record.EC2VPC, error) {
	if id != "" {
		return findVPC(r, scope, id)
	}
	if v := defaultVPC(r, scope); v != nil {
		return v, nil
	}
	return nil, protocol.Errorf("VPCIdNotSpecified", "No default VPC for this user")
}

// noGroup is the error of a name that no group has.
func noGroup(name string) error {
	return protocol.Errorf("InvalidGroup.NotFound", "The security group '%s' does not exist", name)
}

// findGroup finds a group by id, or by name in the default VPC.
func findGroup(r store.Reader, scope fargo.Scope, id, name *string) (*record.EC2SecurityGroup, error) {
	if id != nil {
		g, ok := store.EC2SecurityGroups.Get(r, scope.Key(*id))
		if !ok {
			return nil, noGroupID(*id)
		}
		return g, nil
	}
	if name == nil {
		return nil, missingParameter("groupName or groupId")
	}
	if v := defaultVPC(r, scope); v != nil {
		for g := range store.EC2SecurityGroups.By(r, store.ByVPC, *v.VPC.VpcId) {
			if *g.Group.GroupName == *name {
				return g, nil
			}
		}
	}
	return nil, noGroup(*name)
}

// DeleteSecurityGroup deletes a group that no interface is in and no other
// group's rule names.
func (s *Server) DeleteSecurityGroup(ctx context.Context, in *ec2.DeleteSecurityGroupInput) (*ec2.DeleteSecurityGroupOutput, error) {
	out := &ec2.DeleteSecurityGroupOutput{Return: new(true)}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		g, err := findGroup(tx, scope, in.GroupId, in.GroupName)
		if err != nil {
			return err
		}
		id := *g.Group.GroupId
		out.GroupId = &id
		if *g.Group.GroupName == "default" {
			return protocol.Errorf("CannotDelete", "the specified group: \"%s\" name: \"default\" cannot be deleted by a user", id)
		}
		for range store.EC2NetworkInterfaces.By(tx, store.InterfaceByGroup, id) {
			return inUse("resource %s has a dependent object", id)
		}
		for o := range store.EC2SecurityGroups.By(tx, store.ByVPC, *g.Group.VpcId) {
			if *o.Group.GroupId != id && refersTo(o, id) {
				return inUse("resource %s has a dependent object", id)
			}
		}
		store.EC2SecurityGroups.Delete(tx, g.Key())
		return nil
	})
}

func refersTo(g *record.EC2SecurityGroup, id string) bool {
	for _, r := range g.Rules {
		if r.ReferencedGroupInfo != nil && *r.ReferencedGroupInfo.GroupId == id {
			return true
		}
	}
	return false
}

var groupFields = fields[ec2.SecurityGroup]{
	operation: "DescribeSecurityGroups",
	names:     groupFilters(),
	tags:      func(g ec2.SecurityGroup) []ec2.Tag { return g.Tags },
}

func groupFilters() map[string]func(ec2.SecurityGroup) []string {
	names := map[string]func(ec2.SecurityGroup) []string{
		"group-id":    one(func(g ec2.SecurityGroup) *string { return g.GroupId }),
		"group-name":  one(func(g ec2.SecurityGroup) *string { return g.GroupName }),
		"description": one(func(g ec2.SecurityGroup) *string { return g.Description }),
		"owner-id":    one(func(g ec2.SecurityGroup) *string { return g.OwnerId }),
		"vpc-id":      one(func(g ec2.SecurityGroup) *string { return g.VpcId }),
	}
	for name, get := range permissionFilters {
		names["ip-permission."+name] = func(g ec2.SecurityGroup) []string { return ofAll(g.IpPermissions, get) }
		names["egress.ip-permission."+name] = func(g ec2.SecurityGroup) []string { return ofAll(g.IpPermissionsEgress, get) }
	}
	return names
}

// DescribeSecurityGroups shows groups with their rules as permissions.
func (s *Server) DescribeSecurityGroups(ctx context.Context, in *ec2.DescribeSecurityGroupsInput) (*ec2.DescribeSecurityGroupsOutput, error) {
	view, scope := s.db.View(), api.CallFrom(ctx).Scope()
	filters := in.Filters
	if len(in.GroupNames) > 0 {
		filters = append(filters, ec2.Filter{Name: new("group-name"), Values: in.GroupNames})
	}
	all := func(yield func(ec2.SecurityGroup) bool) {
		for g := range store.EC2SecurityGroups.Prefix(view, scope.Key()) {
			if !yield(groupView(view, g)) {
				return
			}
		}
	}
	out, next, err := describe(all, query{in.GroupIds, filters, pages.Ask(in, in.NextToken, in.MaxResults)}, groupFields,
		func(g ec2.SecurityGroup) string { return *g.GroupId }, noGroupID)
	if err == nil && len(in.GroupNames) > 0 && len(out) == 0 && next == nil {
		err = noGroup(in.GroupNames[0])
	}
	return &ec2.DescribeSecurityGroupsOutput{SecurityGroups: out, NextToken: next}, err
}

// GetSecurityGroupsForVpc shows the groups that can be used in a VPC.
func (s *Server) GetSecurityGroupsForVpc(ctx context.Context, in *ec2.GetSecurityGroupsForVpcInput) (*ec2.GetSecurityGroupsForVpcOutput, error) {
	view, scope := s.db.View(), api.CallFrom(ctx).Scope()
	if _, err := findVPC(view, scope, *in.VpcId); err != nil {
		return nil, err
	}
	all := func(yield func(ec2.SecurityGroupForVpc) bool) {
		for r := range store.EC2SecurityGroups.By(view, store.ByVPC, *in.VpcId) {
			g := r.Group
			if !yield(ec2.SecurityGroupForVpc{
				GroupId: g.GroupId, GroupName: g.GroupName, Description: g.Description, OwnerId: g.OwnerId, PrimaryVpcId: g.VpcId, Tags: g.Tags,
			}) {
				return
			}
		}
	}
	found, next, err := describe(all, query{nil, in.Filters, pages.Ask(in, in.NextToken, in.MaxResults)}, groupForVPCFields,
		func(g ec2.SecurityGroupForVpc) string { return *g.GroupId }, nil)
	return &ec2.GetSecurityGroupsForVpcOutput{SecurityGroupForVpcs: aws.List(found), NextToken: next}, err
}

var groupForVPCFields = fields[ec2.SecurityGroupForVpc]{
	operation: "GetSecurityGroupsForVpc",
	names: map[string]func(ec2.SecurityGroupForVpc) []string{
		"group-id":       one(func(g ec2.SecurityGroupForVpc) *string { return g.GroupId }),
		"group-name":     one(func(g ec2.SecurityGroupForVpc) *string { return g.GroupName }),
		"description":    one(func(g ec2.SecurityGroupForVpc) *string { return g.Description }),
		"owner-id":       one(func(g ec2.SecurityGroupForVpc) *string { return g.OwnerId }),
		"primary-vpc-id": one(func(g ec2.SecurityGroupForVpc) *string { return g.PrimaryVpcId }),
	},
	tags: func(g ec2.SecurityGroupForVpc) []ec2.Tag { return g.Tags },
}
