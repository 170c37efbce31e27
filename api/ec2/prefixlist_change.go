package ec2

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

// maxPrefixListEntries is how many entries a list may have.
// Source: VPC user guide, "Amazon VPC quotas".
const maxPrefixListEntries = 1000

// CreateManagedPrefixList makes a list of the customer's, in its first version.
func (s *Server) CreateManagedPrefixList(ctx context.Context, in *ec2.CreateManagedPrefixListInput) (*ec2.CreateManagedPrefixListOutput, error) {
	tags, err := requestTags(in.TagSpecifications, ec2.ResourceTypePrefixList)
	if err != nil {
		return nil, err
	}
	if err := checkPrefixListName(*in.PrefixListName); err != nil {
		return nil, err
	}
	if *in.AddressFamily != familyIPv4 && *in.AddressFamily != familyIPv6 {
		return nil, badValue("Value (%s) for parameter addressFamily is invalid. It must be IPv4 or IPv6.", *in.AddressFamily)
	}
	if err := checkMaxEntries(*in.MaxEntries); err != nil {
		return nil, err
	}
	entries, err := changedEntries(nil, *in.AddressFamily, in.Entries, nil)
	if err != nil {
		return nil, err
	}
	if len(entries) > int(*in.MaxEntries) {
		return nil, tooManyEntries()
	}
	request, err := requestOf(in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	var l *record.EC2PrefixList
	err = s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		l, err = repeatedOne(request, store.EC2PrefixLists.Prefix(tx, scope.Key()))
		if l != nil || err != nil {
			return err
		}
		id := fargo.NewEC2ID("pl")
		l = &record.EC2PrefixList{Scope: scope, EC2Request: request, Versions: [][]ec2.PrefixListEntry{entries}, List: ec2.ManagedPrefixList{
			PrefixListId: &id, PrefixListArn: new(scope.ARN("ec2", "prefix-list/"+id)), PrefixListName: in.PrefixListName,
			AddressFamily: in.AddressFamily, MaxEntries: in.MaxEntries, OwnerId: &scope.Account,
			State: ec2.PrefixListStateCreateComplete, Version: new(int64(1)), Tags: tags,
		}}
		store.EC2PrefixLists.Put(tx, l)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ec2.CreateManagedPrefixListOutput{PrefixList: &l.List}, nil
}

func checkPrefixListName(name string) error {
	switch {
	case strings.HasPrefix(name, "com.amazonaws"):
		return badValue("Value (%s) for parameter prefixListName is invalid. The name cannot start with com.amazonaws.", name)
	case name == "" || utf8.RuneCountInString(name) > 255:
		return badValue("Value (%s) for parameter prefixListName is invalid. The name must have 1 to 255 characters.", name)
	}
	return nil
}

func checkMaxEntries(n int32) error {
	if n < 1 || n > maxPrefixListEntries {
		return badValue("Must specify a max size between 1 and %d", maxPrefixListEntries)
	}
	return nil
}

func tooManyEntries() error {
	return protocol.Errorf("PrefixListMaxEntriesExceeded", "You've reached the maximum number of entries for the prefix list.")
}

// changedEntries are entries without those that are removed, and with those that are
// added. One that is there already gets another description.
func changedEntries(entries []ec2.PrefixListEntry, family string, add []ec2.AddPrefixListEntry, remove []ec2.RemovePrefixListEntry) ([]ec2.PrefixListEntry, error) {
	next := slices.Clone(entries)
	for _, e := range remove {
		block, err := entryBlock(family, *e.Cidr)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(add, func(a ec2.AddPrefixListEntry) bool { return *a.Cidr == *e.Cidr }) {
			return nil, badValue("Request cannot contain Cidr %s in both AddPrefixListEntries and RemovePrefixListEntries", *e.Cidr)
		}
		i := entryIndex(next, block)
		if i < 0 {
			return nil, protocol.Errorf("InvalidPrefixListModification", "The prefix list has no entry %s.", block)
		}
		next = slices.Delete(next, i, i+1)
	}
	seen := map[string]bool{}
	for _, e := range add {
		block, err := entryBlock(family, *e.Cidr)
		if err != nil {
			return nil, err
		}
		if seen[block] {
			return nil, badValue("The request contains the entry %s more than once.", block)
		}
		seen[block] = true
		if utf8.RuneCountInString(aws.Value(e.Description)) > 255 {
			return nil, badValue("The description of the entry %s is longer than 255 characters.", block)
		}
		entry := ec2.PrefixListEntry{Cidr: &block, Description: e.Description}
		if i := entryIndex(next, block); i >= 0 {
			next[i] = entry
			continue
		}
		next = append(next, entry)
	}
	return next, nil
}

func entryIndex(entries []ec2.PrefixListEntry, block string) int {
	return slices.IndexFunc(entries, func(e ec2.PrefixListEntry) bool { return *e.Cidr == block })
}

// entryBlock is an entry's block as it is kept.
func entryBlock(family, given string) (string, error) {
	p, err := netip.ParsePrefix(given)
	if err != nil || p.Addr().Is4() != (family == familyIPv4) {
		return "", badValue("Value (%s) for parameter Cidr is invalid. It must be a block of %s addresses.", given, family)
	}
	return p.Masked().String(), nil
}

// ModifyManagedPrefixList changes a list's entries, which makes a new version, or its
// name, or its size.
func (s *Server) ModifyManagedPrefixList(ctx context.Context, in *ec2.ModifyManagedPrefixListInput) (*ec2.ModifyManagedPrefixListOutput, error) {
	entries := len(in.AddEntries) > 0 || len(in.RemoveEntries) > 0
	switch {
	case in.IpamPrefixListResolverSyncEnabled != nil:
		return nil, notImplemented("IpamPrefixListResolverSyncEnabled")
	case entries && in.MaxEntries != nil:
		return nil, protocol.Errorf("InvalidParameterCombination", "You cannot modify the entries and the maximum entries for the prefix list in the same request.")
	}
	l, err := s.changePrefixList(ctx, *in.PrefixListId, in.CurrentVersion, func(tx *store.Tx, l *record.EC2PrefixList) error {
		if in.PrefixListName != nil {
			if err := checkPrefixListName(*in.PrefixListName); err != nil {
				return err
			}
			l.List.PrefixListName = in.PrefixListName
		}
		l.List.State = ec2.PrefixListStateModifyComplete
		switch {
		case in.MaxEntries != nil:
			return resize(tx, l, in.MaxEntries)
		case entries:
			next, err := changedEntries(l.Entries(), *l.List.AddressFamily, in.AddEntries, in.RemoveEntries)
			if err != nil {
				return err
			}
			return addVersion(l, next)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ec2.ModifyManagedPrefixListOutput{PrefixList: &l.List}, nil
}

// changePrefixList commits what change makes of a copy of a list of the customer's.
func (s *Server) changePrefixList(ctx context.Context, id string, version *int64, change func(*store.Tx, *record.EC2PrefixList) error) (*record.EC2PrefixList, error) {
	var c record.EC2PrefixList
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		l, err := findOwnPrefixList(tx, scope, id)
		if err != nil {
			return err
		}
		if version != nil && *version != *l.List.Version {
			return protocol.Errorf("PrefixListVersionMismatch", "The prefix list has the incorrect version number.")
		}
		c = *l
		if err := change(tx, &c); err != nil {
			return err
		}
		store.EC2PrefixLists.Put(tx, &c)
		return nil
	})
	return &c, err
}

// addVersion gives a list a new version.
func addVersion(l *record.EC2PrefixList, entries []ec2.PrefixListEntry) error {
	if len(entries) > int(*l.List.MaxEntries) {
		return tooManyEntries()
	}
	l.Versions = append(slices.Clone(l.Versions), entries)
	l.List.Version = new(int64(len(l.Versions)))
	return nil
}

// resize changes how many entries a list may have, when all that references it may have
// as many.
func resize(tx *store.Tx, l *record.EC2PrefixList, most *int32) error {
	if err := checkMaxEntries(*most); err != nil {
		return err
	}
	if len(l.Entries()) > int(*most) {
		return tooManyEntries()
	}
	l.List.MaxEntries = most
	store.EC2PrefixLists.Put(tx, l)
	for t := range store.EC2RouteTables.Prefix(tx, l.Scope.Key()) {
		if err := checkRouteCount(tx, t.Scope, t.RouteTable.Routes); err != nil {
			return err
		}
	}
	for g := range store.EC2SecurityGroups.Prefix(tx, l.Scope.Key()) {
		if err := checkRuleCount(tx, g); err != nil {
			return err
		}
	}
	return nil
}

// RestoreManagedPrefixListVersion makes an earlier version the newest again.
func (s *Server) RestoreManagedPrefixListVersion(ctx context.Context, in *ec2.RestoreManagedPrefixListVersionInput) (*ec2.RestoreManagedPrefixListVersionOutput, error) {
	l, err := s.changePrefixList(ctx, *in.PrefixListId, in.CurrentVersion, func(_ *store.Tx, l *record.EC2PrefixList) error {
		entries, err := versionOf(l, *in.PreviousVersion)
		if err != nil {
			return err
		}
		l.List.State = ec2.PrefixListStateRestoreComplete
		return addVersion(l, entries)
	})
	if err != nil {
		return nil, err
	}
	return &ec2.RestoreManagedPrefixListVersionOutput{PrefixList: &l.List}, nil
}
