package ec2

import (
	"context"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// The address families of prefix lists.
const (
	familyIPv4 = "IPv4"
	familyIPv6 = "IPv6"
)

// findPrefixList finds a list of the customer's or of AWS's.
func findPrefixList(r store.Reader, scope fargo.Scope, id string) (*record.EC2PrefixList, error) {
	for _, l := range plan.AWSPrefixLists(scope.Region) {
		if *l.List.PrefixListId == id {
			return l, nil
		}
	}
	return findOwnPrefixList(r, scope, id)
}

// findOwnPrefixList finds a list that its caller may change.
func findOwnPrefixList(r store.Reader, scope fargo.Scope, id string) (*record.EC2PrefixList, error) {
	if l, ok := store.EC2PrefixLists.Get(r, scope.Key(id)); ok {
		return l, nil
	}
	for _, l := range plan.AWSPrefixLists(scope.Region) {
		if *l.List.PrefixListId == id {
			return nil, protocol.Errorf("OperationNotPermitted", "You cannot change the prefix list %s: it is AWS's.", id)
		}
	}
	return nil, noSuch("pl")(id)
}

// prefixLists are the lists that a scope sees, sorted by id.
func prefixLists(r store.Reader, scope fargo.Scope) []*record.EC2PrefixList {
	all := slices.AppendSeq(plan.AWSPrefixLists(scope.Region), store.EC2PrefixLists.Prefix(r, scope.Key()))
	slices.SortFunc(all, func(a, b *record.EC2PrefixList) int {
		return strings.Compare(*a.List.PrefixListId, *b.List.PrefixListId)
	})
	return all
}

var managedPrefixListFields = fields[ec2.ManagedPrefixList]{
	operation: "DescribeManagedPrefixLists",
	names: map[string]func(ec2.ManagedPrefixList) []string{
		"owner-id":         one(func(l ec2.ManagedPrefixList) *string { return l.OwnerId }),
		"prefix-list-id":   one(func(l ec2.ManagedPrefixList) *string { return l.PrefixListId }),
		"prefix-list-name": one(func(l ec2.ManagedPrefixList) *string { return l.PrefixListName }),
	},
	tags: func(l ec2.ManagedPrefixList) []ec2.Tag { return l.Tags },
}

// DescribeManagedPrefixLists shows the customer's prefix lists and AWS's.
func (s *Server) DescribeManagedPrefixLists(ctx context.Context, in *ec2.DescribeManagedPrefixListsInput) (*ec2.DescribeManagedPrefixListsOutput, error) {
	all := func(yield func(ec2.ManagedPrefixList) bool) {
		for _, l := range prefixLists(s.db.View(), api.CallFrom(ctx).Scope()) {
			if !yield(l.List) {
				return
			}
		}
	}
	out, next, err := describe(all, query{in.PrefixListIds, in.Filters, pages.Ask(in, in.NextToken, in.MaxResults)}, managedPrefixListFields,
		func(l ec2.ManagedPrefixList) string { return *l.PrefixListId }, noSuch("pl"))
	return &ec2.DescribeManagedPrefixListsOutput{PrefixLists: aws.List(out), NextToken: next}, err
}

var prefixListFields = fields[ec2.PrefixList]{
	operation: "DescribePrefixLists",
	names: map[string]func(ec2.PrefixList) []string{
		"prefix-list-id":   one(func(l ec2.PrefixList) *string { return l.PrefixListId }),
		"prefix-list-name": one(func(l ec2.PrefixList) *string { return l.PrefixListName }),
	},
}

// DescribePrefixLists shows AWS's prefix lists with their blocks.
func (s *Server) DescribePrefixLists(ctx context.Context, in *ec2.DescribePrefixListsInput) (*ec2.DescribePrefixListsOutput, error) {
	lists := plan.AWSPrefixLists(api.CallFrom(ctx).Region)
	slices.SortFunc(lists, func(a, b *record.EC2PrefixList) int {
		return strings.Compare(*a.List.PrefixListId, *b.List.PrefixListId)
	})
	all := func(yield func(ec2.PrefixList) bool) {
		for _, l := range lists {
			shown := ec2.PrefixList{PrefixListId: l.List.PrefixListId, PrefixListName: l.List.PrefixListName, Cidrs: []string{}}
			for _, e := range l.Entries() {
				shown.Cidrs = append(shown.Cidrs, *e.Cidr)
			}
			if !yield(shown) {
				return
			}
		}
	}
	out, next, err := describe(all, query{in.PrefixListIds, in.Filters, pages.Ask(in, in.NextToken, in.MaxResults)}, prefixListFields,
		func(l ec2.PrefixList) string { return *l.PrefixListId }, noSuch("pl"))
	return &ec2.DescribePrefixListsOutput{PrefixLists: aws.List(out), NextToken: next}, err
}

// GetManagedPrefixListEntries shows the entries of the newest version of a list, or of
// another.
func (s *Server) GetManagedPrefixListEntries(ctx context.Context, in *ec2.GetManagedPrefixListEntriesInput) (*ec2.GetManagedPrefixListEntriesOutput, error) {
	l, err := findPrefixList(s.db.View(), api.CallFrom(ctx).Scope(), *in.PrefixListId)
	if err != nil {
		return nil, err
	}
	entries := l.Entries()
	if in.TargetVersion != nil {
		if entries, err = versionOf(l, *in.TargetVersion); err != nil {
			return nil, err
		}
	}
	block := func(e ec2.PrefixListEntry) string { return *e.Cidr }
	entries = slices.SortedFunc(slices.Values(entries), func(a, b ec2.PrefixListEntry) int { return strings.Compare(block(a), block(b)) })
	out, next, err := page.Of(pages.Ask(in, in.NextToken, in.MaxResults), slices.Values(entries), block)
	return &ec2.GetManagedPrefixListEntriesOutput{Entries: aws.List(out), NextToken: next}, err
}

// versionOf are the entries of a version of a list.
func versionOf(l *record.EC2PrefixList, version int64) ([]ec2.PrefixListEntry, error) {
	if version < 1 || version > int64(len(l.Versions)) {
		return nil, badValue("The prefix list %s has no version %d.", *l.List.PrefixListId, version)
	}
	return l.Versions[version-1], nil
}

// prefixListUsers are the ids of the route tables and security groups that reference a
// list, in their order.
func prefixListUsers(r store.Reader, scope fargo.Scope, id string) []string {
	var users []string
	for t := range store.EC2RouteTables.Prefix(r, scope.Key()) {
		if slices.ContainsFunc(t.RouteTable.Routes, func(r ec2.Route) bool { return aws.Value(r.DestinationPrefixListId) == id }) {
			users = append(users, *t.RouteTable.RouteTableId)
		}
	}
	for g := range store.EC2SecurityGroups.Prefix(r, scope.Key()) {
		if slices.ContainsFunc(g.Rules, func(r ec2.SecurityGroupRule) bool { return aws.Value(r.PrefixListId) == id }) {
			users = append(users, *g.Group.GroupId)
		}
	}
	return users
}

// GetManagedPrefixListAssociations shows what references a list.
func (s *Server) GetManagedPrefixListAssociations(ctx context.Context, in *ec2.GetManagedPrefixListAssociationsInput) (*ec2.GetManagedPrefixListAssociationsOutput, error) {
	view, scope := s.db.View(), api.CallFrom(ctx).Scope()
	if _, err := findPrefixList(view, scope, *in.PrefixListId); err != nil {
		return nil, err
	}
	var all []ec2.PrefixListAssociation
	for _, user := range prefixListUsers(view, scope, *in.PrefixListId) {
		all = append(all, ec2.PrefixListAssociation{ResourceId: &user, ResourceOwner: &scope.Account})
	}
	out, next, err := page.Of(pages.Ask(in, in.NextToken, in.MaxResults), slices.Values(all), func(a ec2.PrefixListAssociation) string { return *a.ResourceId })
	return &ec2.GetManagedPrefixListAssociationsOutput{PrefixListAssociations: aws.List(out), NextToken: next}, err
}

// DeleteManagedPrefixList deletes a list that nothing references.
func (s *Server) DeleteManagedPrefixList(ctx context.Context, in *ec2.DeleteManagedPrefixListInput) (*ec2.DeleteManagedPrefixListOutput, error) {
	out := &ec2.DeleteManagedPrefixListOutput{}
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		l, err := findOwnPrefixList(tx, scope, *in.PrefixListId)
		if err != nil {
			return err
		}
		if users := prefixListUsers(tx, scope, *in.PrefixListId); len(users) > 0 {
			return inUse("The prefix list %s cannot be deleted: it is referenced by %s.", *in.PrefixListId, strings.Join(users, ", "))
		}
		store.EC2PrefixLists.Delete(tx, l.Key())
		out.PrefixList = new(l.List)
		out.PrefixList.State = ec2.PrefixListStateDeleteComplete
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
