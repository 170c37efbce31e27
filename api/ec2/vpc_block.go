package ec2

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// Bounds of the blocks of a VPC. Source: VPC user guide, "Amazon VPC quotas" and "IPv6
// VPC CIDR blocks".
const (
	maxBlocks = 5  // of each family
	vpcBlock6 = 56 // bits
)

// amazonPool6 is the name of the pool that Amazon-provided IPv6 blocks are from.
const amazonPool6 = "Amazon"

// spaces are ranges of which a VPC has blocks of one only.
// Source: VPC user guide, "IPv4 CIDR block association restrictions".
var spaces = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("198.19.0.0/16"),
}

func spaceOf(block netip.Prefix) int {
	return slices.IndexFunc(spaces, func(s netip.Prefix) bool { return s.Overlaps(block) })
}

// exclusions are ranges that a VPC with a block in another cannot have a block in.
// Source: as that of spaces.
var exclusions = []struct{ has, not netip.Prefix }{
	{netip.MustParsePrefix("10.0.0.0/15"), netip.MustParsePrefix("10.0.0.0/16")},
	{netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("172.31.0.0/16")},
}

// restricted reports whether a block may not be added to a VPC with others, the primary
// one first, because of the ranges that they are in.
func restricted(own []netip.Prefix, block netip.Prefix) bool {
	for _, n := range exclusions {
		if slices.ContainsFunc(own, n.has.Overlaps) && n.not.Overlaps(block) {
			return true
		}
	}
	of := spaceOf(block)
	return of >= 0 && of != spaceOf(own[0])
}

// checkSecondaryBlock refuses an IPv4 block that a VPC cannot have besides its own.
// Source: VPC user guide, "Add a CIDR block to your VPC".
func checkSecondaryBlock(r store.Reader, v *record.EC2VPC, block netip.Prefix) error {
	own := v.CIDRs()
	switch {
	case len(own) >= maxBlocks:
		return tooManyBlocks(v)
	case slices.ContainsFunc(own, block.Overlaps):
		return protocol.Errorf("InvalidVpc.Range", "The CIDR '%s' conflicts with another CIDR of the VPC.", block)
	case restricted(own, block):
		return protocol.Errorf("InvalidVpc.Range", "The CIDR '%s' is restricted. Use a CIDR from the same private address range as the current VPC CIDR, or use a publicly-routable CIDR. For additional restrictions, see https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html", block)
	}
	for t := range store.EC2RouteTables.By(r, store.ByVPC, *v.VPC.VpcId) {
		for _, route := range t.RouteTable.Routes {
			if to, err := netip.ParsePrefix(aws.Value(route.DestinationCidrBlock)); err == nil && block.Bits() <= to.Bits() && block.Contains(to.Addr()) {
				return protocol.Errorf("InvalidVpc.Range", "The CIDR '%s' conflicts with the route to %s in route table %s.", block, to, *t.RouteTable.RouteTableId)
			}
		}
	}
	for p := range store.EC2Peerings.By(r, store.ByVPC, *v.VPC.VpcId) {
		if o := otherVPC(r, p, *v.VPC.VpcId); p.Active() && o != nil && slices.ContainsFunc(o.CIDRs(), block.Overlaps) {
			return protocol.Errorf("InvalidVpc.Range", "The CIDR '%s' conflicts with a CIDR of the peer VPC %s.", block, *o.VPC.VpcId)
		}
	}
	return nil
}

func tooManyBlocks(v *record.EC2VPC) error {
	return protocol.Errorf("CidrLimitExceeded", "This network %s has met its maximum number of allowed CIDRs: %d", *v.VPC.VpcId, maxBlocks)
}

// newBlock is the association of a VPC with an IPv4 block.
func newBlock(block netip.Prefix) ec2.VpcCidrBlockAssociation {
	return ec2.VpcCidrBlockAssociation{
		AssociationId: new(fargo.NewEC2ID("vpc-cidr-assoc")), CidrBlock: new(block.String()),
		CidrBlockState: &ec2.VpcCidrBlockState{State: ec2.VpcCidrBlockStateCodeAssociated},
	}
}

// newBlock6 chooses an IPv6 block for a VPC: of the instance's range, one that no VPC
// of any account has.
func (s *Server) newBlock6(r store.Reader, v *record.EC2VPC) (ec2.VpcIpv6CidrBlockAssociation, error) {
	used := map[netip.Prefix]bool{}
	for o := range store.EC2VPCs.All(r) {
		for _, b := range o.CIDRs6() {
			used[b] = true
		}
	}
	id := fargo.NewEC2ID("vpc-cidr-assoc")
	block, ok := plan.FreeBlock6(s.public6, vpcBlock6, id, func(p netip.Prefix) bool { return used[p] })
	if !ok {
		return ec2.VpcIpv6CidrBlockAssociation{}, protocol.Errorf("InsufficientCidrBlocks", "There are no more IPv6 CIDR blocks in %s.", s.public6)
	}
	return ec2.VpcIpv6CidrBlockAssociation{
		AssociationId: &id, Ipv6CidrBlock: new(block.String()),
		Ipv6CidrBlockState: &ec2.VpcCidrBlockState{State: ec2.VpcCidrBlockStateCodeAssociated},
		NetworkBorderGroup: &v.Scope.Region, Ipv6Pool: new(amazonPool6), IpSource: ec2.IpSourceAmazon, Ipv6AddressAttribute: ec2.Ipv6AddressAttributePublic,
	}, nil
}

// AssociateVpcCidrBlock gives a VPC another block: an IPv4 one of the caller's choice, or
// an IPv6 one of ours.
func (s *Server) AssociateVpcCidrBlock(ctx context.Context, in *ec2.AssociateVpcCidrBlockInput) (*ec2.AssociateVpcCidrBlockOutput, error) {
	if err := refuseSet(map[string]bool{
		"Ipv6Pool": in.Ipv6Pool != nil, "Ipv6CidrBlock": in.Ipv6CidrBlock != nil,
		"Ipv4IpamPoolId": in.Ipv4IpamPoolId != nil, "Ipv6IpamPoolId": in.Ipv6IpamPoolId != nil,
		"Ipv4NetmaskLength": in.Ipv4NetmaskLength != nil, "Ipv6NetmaskLength": in.Ipv6NetmaskLength != nil,
	}); err != nil {
		return nil, err
	}
	six := aws.Value(in.AmazonProvidedIpv6CidrBlock)
	switch {
	case in.CidrBlock == nil && !six:
		return nil, missingEither("cidrBlock", "amazonProvidedIpv6CidrBlock")
	case in.CidrBlock != nil && six:
		return nil, protocol.Errorf("InvalidParameterCombination", "The parameters cidrBlock and amazonProvidedIpv6CidrBlock may not be used together.")
	}
	out := &ec2.AssociateVpcCidrBlockOutput{VpcId: in.VpcId}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		v, err := findVPC(tx, scope, *in.VpcId)
		if err != nil {
			return err
		}
		if six {
			out.Ipv6CidrBlockAssociation, err = s.addBlock6(tx, v, in.Ipv6CidrBlockNetworkBorderGroup)
		} else {
			out.CidrBlockAssociation, err = s.addBlock(tx, v, *in.CidrBlock)
		}
		return err
	})
}

func (s *Server) addBlock(tx *store.Tx, v *record.EC2VPC, given string) (*ec2.VpcCidrBlockAssociation, error) {
	block, err := parseCIDR(given)
	if err != nil {
		return nil, err
	}
	if err := s.checkVPCBlock(block, given); err != nil {
		return nil, err
	}
	if err := checkSecondaryBlock(tx, v, block); err != nil {
		return nil, err
	}
	made := newBlock(block)
	c := *v
	c.VPC.CidrBlockAssociationSet = append(slices.Clone(v.VPC.CidrBlockAssociationSet), made)
	store.EC2VPCs.Put(tx, &c)
	changeLocal(tx, v, block, withLocal)
	made.CidrBlockState = &ec2.VpcCidrBlockState{State: ec2.VpcCidrBlockStateCodeAssociating}
	return &made, nil
}

func (s *Server) addBlock6(tx *store.Tx, v *record.EC2VPC, border *string) (*ec2.VpcIpv6CidrBlockAssociation, error) {
	if border != nil && *border != v.Scope.Region {
		return nil, notImplemented("Ipv6CidrBlockNetworkBorderGroup")
	}
	if len(v.CIDRs6()) >= maxBlocks {
		return nil, tooManyBlocks(v)
	}
	made, err := s.newBlock6(tx, v)
	if err != nil {
		return nil, err
	}
	c := *v
	c.VPC.Ipv6CidrBlockAssociationSet = append(slices.Clone(v.VPC.Ipv6CidrBlockAssociationSet), made)
	store.EC2VPCs.Put(tx, &c)
	changeLocal(tx, v, netip.MustParsePrefix(*made.Ipv6CidrBlock), withLocal)
	openDefaults6(tx, v, &c)
	made.Ipv6CidrBlockState = &ec2.VpcCidrBlockState{State: ec2.VpcCidrBlockStateCodeAssociating}
	return &made, nil
}

// changeLocal changes the local routes of all route tables of a VPC.
func changeLocal(tx *store.Tx, v *record.EC2VPC, block netip.Prefix, change func(*record.EC2RouteTable, netip.Prefix) *record.EC2RouteTable) {
	for t := range store.EC2RouteTables.By(tx, store.ByVPC, *v.VPC.VpcId) {
		store.EC2RouteTables.Put(tx, change(t, block))
	}
}

// openDefaults6 lets IPv6 pass where a VPC's default security group and network ACL let
// everything else pass, unless they have been changed: then that is left to the user.
// Source: VPC user guide, "Default security groups" and "Default network ACL".
func openDefaults6(tx *store.Tx, before, after *record.EC2VPC) {
	for g := range store.EC2SecurityGroups.By(tx, store.ByVPC, *after.VPC.VpcId) {
		if *g.Group.GroupName == "default" && sendsAnywhere4(g) {
			c := *g
			c.Rules = append(slices.Clone(g.Rules), egressToAll(g, nil, new(everywhere6)))
			store.EC2SecurityGroups.Put(tx, &c)
		}
	}
	for a := range store.EC2NetworkACLs.By(tx, store.ByVPC, *after.VPC.VpcId) {
		if isDefaultACL(a) && sameEntries(a, plan.DefaultACL(before)) {
			c := *a
			c.ACL.Entries = userEntries(plan.DefaultACL(after))
			store.EC2NetworkACLs.Put(tx, &c)
		}
	}
}

// sendsAnywhere4 reports whether a group has still the one rule of a new group for what
// goes out.
func sendsAnywhere4(g *record.EC2SecurityGroup) bool {
	var out []ec2.SecurityGroupRule
	for _, r := range g.Rules {
		if *r.IsEgress {
			out = append(out, r)
		}
	}
	return len(out) == 1 && sameRule(out[0], egressToAll(g, new(everywhere), nil))
}

// egressToAll is a rule that lets everything out to a block.
func egressToAll(g *record.EC2SecurityGroup, block, block6 *string) ec2.SecurityGroupRule {
	r := ec2.SecurityGroupRule{
		GroupId: g.Group.GroupId, GroupOwnerId: &g.Scope.Account, IsEgress: new(true), IpProtocol: new(allProtocols),
		FromPort: new(int32(-1)), ToPort: new(int32(-1)), CidrIpv4: block, CidrIpv6: block6, Tags: []ec2.Tag{},
	}
	identify(g.Scope, &r)
	return r
}

// vpcOfBlock is the VPC with an association, nil for none.
func vpcOfBlock(r store.Reader, scope fargo.Scope, association string) *record.EC2VPC {
	for v := range store.EC2VPCs.Prefix(r, scope.Key()) {
		if blockIndex(v, association) >= 0 || block6Index(v, association) >= 0 {
			return v
		}
	}
	return nil
}

func blockIndex(v *record.EC2VPC, association string) int {
	return slices.IndexFunc(v.VPC.CidrBlockAssociationSet, func(a ec2.VpcCidrBlockAssociation) bool { return *a.AssociationId == association })
}

func block6Index(v *record.EC2VPC, association string) int {
	return slices.IndexFunc(v.VPC.Ipv6CidrBlockAssociationSet, func(a ec2.VpcIpv6CidrBlockAssociation) bool { return *a.AssociationId == association })
}

// DisassociateVpcCidrBlock takes a block from a VPC that no subnet is in.
func (s *Server) DisassociateVpcCidrBlock(ctx context.Context, in *ec2.DisassociateVpcCidrBlockInput) (*ec2.DisassociateVpcCidrBlockOutput, error) {
	out := &ec2.DisassociateVpcCidrBlockOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		id := *in.AssociationId
		v := vpcOfBlock(tx, scope, id)
		if v == nil {
			return protocol.Errorf("InvalidVpcCidrBlockAssociationID.NotFound", "The vpc CIDR block with association ID '%s' does not exist", id)
		}
		c := *v
		out.VpcId = v.VPC.VpcId
		leaving := &ec2.VpcCidrBlockState{State: ec2.VpcCidrBlockStateCodeDisassociating}
		var block string
		if i := blockIndex(v, id); i >= 0 {
			if i == 0 {
				return protocol.Errorf("OperationNotPermitted", "The vpc CIDR block with association ID %s may not be disassociated. It is the primary IPv4 CIDR block of the VPC", id)
			}
			gone := v.VPC.CidrBlockAssociationSet[i]
			c.VPC.CidrBlockAssociationSet = slices.Delete(slices.Clone(v.VPC.CidrBlockAssociationSet), i, i+1)
			block, gone.CidrBlockState, out.CidrBlockAssociation = *gone.CidrBlock, leaving, &gone
		} else {
			i := block6Index(v, id)
			gone := v.VPC.Ipv6CidrBlockAssociationSet[i]
			c.VPC.Ipv6CidrBlockAssociationSet = slices.Delete(slices.Clone(v.VPC.Ipv6CidrBlockAssociationSet), i, i+1)
			block, gone.Ipv6CidrBlockState, out.Ipv6CidrBlockAssociation = *gone.Ipv6CidrBlock, leaving, &gone
		}
		p := netip.MustParsePrefix(block)
		for n := range store.EC2Subnets.By(tx, store.ByVPC, *v.VPC.VpcId) {
			if slices.ContainsFunc(n.Prefixes(), p.Overlaps) {
				return protocol.Errorf("InvalidCidrBlock.InUse", "The vpc %s currently has a subnet within CIDR block %s", *v.VPC.VpcId, block)
			}
		}
		store.EC2VPCs.Put(tx, &c)
		changeLocal(tx, v, p, withoutLocal)
		return nil
	})
}
