package ec2

import (
	"strconv"

	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/record"
	"fargo/store"
)

// A security group keeps rules, one peer each. Clients of the older calls speak
// of permissions, which gather the peers of a protocol and port range. This file
// turns one into the other.

// groupView is a group with its rules gathered into permissions.
func groupView(r store.Reader, g *record.EC2SecurityGroup) ec2.SecurityGroup {
	v := g.Group
	v.IpPermissions, v.IpPermissionsEgress = []ec2.IpPermission{}, []ec2.IpPermission{}
	for _, r := range shownRules(r, g) {
		if aws.Value(r.IsEgress) {
			v.IpPermissionsEgress = gather(v.IpPermissionsEgress, r)
		} else {
			v.IpPermissions = gather(v.IpPermissions, r)
		}
	}
	return v
}

func gather(permissions []ec2.IpPermission, r ec2.SecurityGroupRule) []ec2.IpPermission {
	from, to := shownPort(r, r.FromPort), shownPort(r, r.ToPort)
	i := 0
	for ; i < len(permissions); i++ {
		p := permissions[i]
		if *p.IpProtocol == *r.IpProtocol && same(p.FromPort, from) && same(p.ToPort, to) {
			break
		}
	}
	if i == len(permissions) {
		permissions = append(permissions, ec2.IpPermission{
			IpProtocol: r.IpProtocol, FromPort: from, ToPort: to,
			UserIdGroupPairs: []ec2.UserIdGroupPair{}, IpRanges: []ec2.IpRange{}, Ipv6Ranges: []ec2.Ipv6Range{}, PrefixListIds: []ec2.PrefixListId{},
		})
	}
	p := &permissions[i]
	switch {
	case r.CidrIpv4 != nil:
		p.IpRanges = append(p.IpRanges, ec2.IpRange{CidrIp: r.CidrIpv4, Description: r.Description})
	case r.CidrIpv6 != nil:
		p.Ipv6Ranges = append(p.Ipv6Ranges, ec2.Ipv6Range{CidrIpv6: r.CidrIpv6, Description: r.Description})
	case r.PrefixListId != nil:
		p.PrefixListIds = append(p.PrefixListIds, ec2.PrefixListId{PrefixListId: r.PrefixListId, Description: r.Description})
	case r.ReferencedGroupInfo != nil:
		p.UserIdGroupPairs = append(p.UserIdGroupPairs, ec2.UserIdGroupPair{
			GroupId: r.ReferencedGroupInfo.GroupId, UserId: r.ReferencedGroupInfo.UserId, Description: r.Description,
			VpcId: r.ReferencedGroupInfo.VpcId, VpcPeeringConnectionId: r.ReferencedGroupInfo.VpcPeeringConnectionId,
			PeeringStatus: r.ReferencedGroupInfo.PeeringStatus,
		})
	}
	return permissions
}

// shownPort: a permission for a protocol without ports has none, not even -1.
func shownPort(r ec2.SecurityGroupRule, port *int32) *int32 {
	if !hasPorts(*r.IpProtocol) {
		return nil
	}
	return port
}

func same(a, b *int32) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }

// permissionFilters are the values that a permission has for the filters of groups.
// As in EC2, there are no names in permissions: a group in a VPC is referenced by its id.
var permissionFilters = map[string]func(ec2.IpPermission) []string{
	"cidr": each(func(p ec2.IpPermission) []ec2.IpRange { return p.IpRanges },
		func(r ec2.IpRange) *string { return r.CidrIp }),
	"ipv6-cidr": each(func(p ec2.IpPermission) []ec2.Ipv6Range { return p.Ipv6Ranges },
		func(r ec2.Ipv6Range) *string { return r.CidrIpv6 }),
	"prefix-list-id": each(func(p ec2.IpPermission) []ec2.PrefixListId { return p.PrefixListIds },
		func(l ec2.PrefixListId) *string { return l.PrefixListId }),
	"group-id":   each(pairs, func(g ec2.UserIdGroupPair) *string { return g.GroupId }),
	"group-name": each(pairs, func(g ec2.UserIdGroupPair) *string { return g.GroupName }),
	"user-id":    each(pairs, func(g ec2.UserIdGroupPair) *string { return g.UserId }),
	"protocol":   one(func(p ec2.IpPermission) *string { return p.IpProtocol }),
	"from-port":  func(p ec2.IpPermission) []string { return number(p.FromPort) },
	"to-port":    func(p ec2.IpPermission) []string { return number(p.ToPort) },
}

func pairs(p ec2.IpPermission) []ec2.UserIdGroupPair { return p.UserIdGroupPairs }

// ofAll are the values of several permissions.
func ofAll(permissions []ec2.IpPermission, get func(ec2.IpPermission) []string) (out []string) {
	for _, p := range permissions {
		out = append(out, get(p)...)
	}
	return out
}

func number(n *int32) []string {
	if n == nil {
		return nil
	}
	return []string{strconv.Itoa(int(*n))}
}
