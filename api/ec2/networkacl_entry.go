package ec2

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

// Bounds of the entries of a network ACL. Higher numbers show what every list ends
// with: the rest is denied.
// Source: EC2 API, CreateNetworkAclEntry; VPC user guide, "Amazon VPC quotas".
const (
	lastEntry  = 32766
	maxEntries = 20 // in one direction
)

// The blocks that have every address of a family.
const (
	everywhere  = "0.0.0.0/0"
	everywhere6 = "::/0"
)

// userEntries are a list's entries without those that every list ends with.
func userEntries(a *record.EC2NetworkACL) []ec2.NetworkAclEntry {
	return slices.DeleteFunc(slices.Clone(a.ACL.Entries), func(e ec2.NetworkAclEntry) bool { return *e.RuleNumber > lastEntry })
}

// shownEntries are a list's entries as clients see them: what goes out first, in the
// order of their numbers, and last what denies the rest, of IPv6 when the VPC has it.
func shownEntries(v *record.EC2VPC, a *record.EC2NetworkACL) []ec2.NetworkAclEntry {
	all := userEntries(a)
	for _, egress := range []bool{true, false} {
		deny := ec2.NetworkAclEntry{Egress: &egress, Protocol: new(allProtocols), RuleAction: ec2.RuleActionDeny, RuleNumber: new(int32(lastEntry + 1))}
		deny.CidrBlock = new(everywhere)
		all = append(all, deny)
		if len(v.CIDRs6()) > 0 {
			deny.RuleNumber, deny.CidrBlock, deny.Ipv6CidrBlock = new(int32(lastEntry+2)), nil, new(everywhere6)
			all = append(all, deny)
		}
	}
	slices.SortStableFunc(all, func(a, b ec2.NetworkAclEntry) int {
		return cmp.Or(-cmp.Compare(boolean(a.Egress)[0], boolean(b.Egress)[0]), cmp.Compare(*a.RuleNumber, *b.RuleNumber))
	})
	return all
}

// aclEntryIndex is the place of an entry, -1 for none.
func aclEntryIndex(all []ec2.NetworkAclEntry, number int32, egress bool) int {
	return slices.IndexFunc(all, func(e ec2.NetworkAclEntry) bool { return *e.RuleNumber == number && *e.Egress == egress })
}

// changeEntries commits what change makes of a copy of a list's entries. A default list
// is kept from then on.
func (s *Server) changeEntries(ctx context.Context, id string, change func([]ec2.NetworkAclEntry) ([]ec2.NetworkAclEntry, error)) error {
	return s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		a, err := findACL(tx, scope, id)
		if err != nil {
			return err
		}
		c := *a
		if c.ACL.Entries, err = change(userEntries(a)); err != nil {
			return err
		}
		store.EC2NetworkACLs.Put(tx, &c)
		return nil
	})
}

// CreateNetworkAclEntry adds an entry to a list.
func (s *Server) CreateNetworkAclEntry(ctx context.Context, in *ec2.CreateNetworkAclEntryInput) (*ec2.CreateNetworkAclEntryOutput, error) {
	e, err := newEntry(ec2.NetworkAclEntry{
		RuleNumber: in.RuleNumber, Protocol: in.Protocol, RuleAction: in.RuleAction, Egress: in.Egress,
		CidrBlock: in.CidrBlock, Ipv6CidrBlock: in.Ipv6CidrBlock, IcmpTypeCode: in.IcmpTypeCode, PortRange: in.PortRange,
	})
	if err != nil {
		return nil, err
	}
	return &ec2.CreateNetworkAclEntryOutput{}, s.changeEntries(ctx, *in.NetworkAclId, func(all []ec2.NetworkAclEntry) ([]ec2.NetworkAclEntry, error) {
		if aclEntryIndex(all, *e.RuleNumber, *e.Egress) >= 0 {
			return nil, protocol.Errorf("NetworkAclEntryAlreadyExists", "The network acl entry identified by %d already exists.", *e.RuleNumber)
		}
		count := 0
		for _, o := range all {
			if *o.Egress == *e.Egress {
				count++
			}
		}
		if count >= maxEntries {
			return nil, protocol.Errorf("NetworkAclEntryLimitExceeded", "The maximum number of network acl entries has been reached.")
		}
		return append(all, e), nil
	})
}

// ReplaceNetworkAclEntry gives an entry of a list another meaning.
func (s *Server) ReplaceNetworkAclEntry(ctx context.Context, in *ec2.ReplaceNetworkAclEntryInput) (*ec2.ReplaceNetworkAclEntryOutput, error) {
	e, err := newEntry(ec2.NetworkAclEntry{
		RuleNumber: in.RuleNumber, Protocol: in.Protocol, RuleAction: in.RuleAction, Egress: in.Egress,
		CidrBlock: in.CidrBlock, Ipv6CidrBlock: in.Ipv6CidrBlock, IcmpTypeCode: in.IcmpTypeCode, PortRange: in.PortRange,
	})
	if err != nil {
		return nil, err
	}
	return &ec2.ReplaceNetworkAclEntryOutput{}, s.changeEntries(ctx, *in.NetworkAclId, func(all []ec2.NetworkAclEntry) ([]ec2.NetworkAclEntry, error) {
		i := aclEntryIndex(all, *e.RuleNumber, *e.Egress)
		if i < 0 {
			return nil, noEntry(*in.NetworkAclId, *e.RuleNumber)
		}
		all[i] = e
		return all, nil
	})
}

// DeleteNetworkAclEntry takes an entry from a list.
func (s *Server) DeleteNetworkAclEntry(ctx context.Context, in *ec2.DeleteNetworkAclEntryInput) (*ec2.DeleteNetworkAclEntryOutput, error) {
	if err := checkEntryNumber(*in.RuleNumber); err != nil {
		return nil, err
	}
	return &ec2.DeleteNetworkAclEntryOutput{}, s.changeEntries(ctx, *in.NetworkAclId, func(all []ec2.NetworkAclEntry) ([]ec2.NetworkAclEntry, error) {
		i := aclEntryIndex(all, *in.RuleNumber, *in.Egress)
		if i < 0 {
			return nil, noEntry(*in.NetworkAclId, *in.RuleNumber)
		}
		return slices.Delete(all, i, i+1), nil
	})
}

func noEntry(acl string, number int32) error {
	return protocol.Errorf("InvalidNetworkAclEntry.NotFound", "The network acl entry identified by %d in network acl '%s' does not exist", number, acl)
}

func checkEntryNumber(n int32) error {
	if n < 1 || n > lastEntry {
		return badValue("Value (%d) for parameter ruleNumber is invalid. Rule numbers are from 1 to %d.", n, lastEntry)
	}
	return nil
}

// newEntry checks an entry, and leaves of it what its protocol has.
// Source: EC2 API, CreateNetworkAclEntry.
func newEntry(e ec2.NetworkAclEntry) (ec2.NetworkAclEntry, error) {
	if err := checkEntryNumber(*e.RuleNumber); err != nil {
		return e, err
	}
	number, err := strconv.ParseInt(*e.Protocol, 10, 16) // unlike in security groups, no names
	if err != nil || number < -1 || number > 255 {
		return e, badValue("Invalid value '%s' for IP protocol. Unknown protocol.", *e.Protocol)
	}
	e.Protocol = new(strconv.FormatInt(number, 10))
	if e, err = withEntryBlock(e); err != nil {
		return e, err
	}
	name := *e.Protocol
	if known, ok := protocolNames[name]; ok {
		name = known
	}
	given, kind := ports(e), icmp(e)
	e.PortRange, e.IcmpTypeCode = nil, nil
	switch {
	case isTransport(name):
		if given.From == nil {
			return e, missingParameter("portRange.from")
		}
		if given.To == nil {
			return e, missingParameter("portRange.to")
		}
		from, to, err := transportRange(given.From, given.To)
		e.PortRange = &ec2.PortRange{From: &from, To: &to}
		return e, err
	case name == "icmp" || name == "icmpv6" && e.Ipv6CidrBlock != nil:
		if kind.Type == nil {
			return e, missingParameter("icmpTypeCode.type")
		}
		if kind.Code == nil {
			return e, missingParameter("icmpTypeCode.code")
		}
		first, last, err := icmpRange(name, kind.Type, kind.Code)
		e.IcmpTypeCode = &ec2.IcmpTypeCode{Type: &first, Code: &last}
		return e, err
	}
	return e, nil
}

// withEntryBlock writes an entry's one block in its canonical form.
func withEntryBlock(e ec2.NetworkAclEntry) (ec2.NetworkAclEntry, error) {
	switch {
	case e.CidrBlock == nil && e.Ipv6CidrBlock == nil:
		return e, missingEither("cidrBlock", "ipv6CidrBlock")
	case e.CidrBlock != nil && e.Ipv6CidrBlock != nil:
		return e, protocol.Errorf("InvalidParameterCombination", "The parameters cidrBlock and ipv6CidrBlock may not be used together.")
	case e.CidrBlock != nil:
		p, err := parseCIDR(*e.CidrBlock)
		e.CidrBlock = new(p.String())
		return e, err
	}
	p, err := parseCIDR6(*e.Ipv6CidrBlock)
	e.Ipv6CidrBlock = new(p.String())
	return e, err
}

// parseCIDR6 reads an IPv6 block.
func parseCIDR6(block string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(block)
	if err != nil || !p.Addr().Is6() {
		return p, badValue("invalid value for parameter ipv6-cidr-block: %s", block)
	}
	return p.Masked(), nil
}

// decimal is a number as a filter's value has it; nil for none.
func decimal(n *int32) *string {
	if n == nil {
		return nil
	}
	return new(strconv.Itoa(int(*n)))
}

// sameEntries reports whether two lists let the same pass by their users' entries.
func sameEntries(a, b *record.EC2NetworkACL) bool {
	of := func(a *record.EC2NetworkACL) []string {
		var all []string
		for _, e := range userEntries(a) {
			all = append(all, *decimal(e.RuleNumber)+boolean(e.Egress)[0]+*e.Protocol+string(e.RuleAction)+aws.Value(e.CidrBlock)+aws.Value(e.Ipv6CidrBlock))
		}
		slices.Sort(all)
		return all
	}
	return slices.Equal(of(a), of(b))
}
