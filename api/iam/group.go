package iam

import (
	"context"
	"slices"
	"strings"

	"fargo"
	"fargo/aws"
	"fargo/aws/iam"
	"fargo/record"
	"fargo/store"
)

// group finds a group by name.
func group(r store.Reader, s fargo.Scope, name *string) (*record.Group, error) {
	if found, ok := store.Named(store.Groups, r, s.Key(*name)); ok {
		return found, nil
	}
	return nil, missing("The group with name %s cannot be found.", *name)
}

// changeGroup lets f change a copy of a group, and stores it.
func (s *Server) changeGroup(ctx context.Context, name *string, f func(*store.Tx, *record.Group) error) error {
	return change(ctx, s.db, store.Groups, group, name, f)
}

// CreateGroup implements the operation of that name.
func (s *Server) CreateGroup(ctx context.Context, in *iam.CreateGroupInput) (*iam.CreateGroupOutput, error) {
	path, err := pathOf(in.Path)
	if err != nil {
		return nil, err
	}
	scope := scopeOf(ctx)
	g := &record.Group{Account: scope.Account, Group: iam.Group{
		GroupName: in.GroupName, Path: path, GroupId: new(fargo.NewIAMID("AGPA")),
		Arn: new(scope.ARN("iam", "group"+*path+*in.GroupName)), CreateDate: now(),
	}}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		if _, ok := store.Named(store.Groups, tx, g.Key()); ok {
			return exists("Group with name %s already exists.", *in.GroupName)
		}
		store.Groups.Put(tx, g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreateGroupOutput{Group: &g.Group}, nil
}

// GetGroup implements the operation of that name.
func (s *Server) GetGroup(ctx context.Context, in *iam.GetGroupInput) (*iam.GetGroupOutput, error) {
	v := s.db.View()
	g, err := group(v, scopeOf(ctx), in.GroupName)
	if err != nil {
		return nil, err
	}
	users := each(store.Users.By(v, "group", g.Key()), func(*record.User) bool { return true }, listedUser)
	out, more, next, err := pageOf(pages.Ask(in, in.Marker, in.MaxItems), users, func(u iam.User) string { return *u.UserName })
	return &iam.GetGroupOutput{Group: &g.Group, Users: out, IsTruncated: more, Marker: next}, err
}

func shownGroup(g *record.Group) iam.Group { return g.Group }

// ListGroups implements the operation of that name.
func (s *Server) ListGroups(ctx context.Context, in *iam.ListGroupsInput) (*iam.ListGroupsOutput, error) {
	groups := each(store.Groups.Prefix(s.db.View(), scopeOf(ctx).Key()),
		func(g *record.Group) bool { return strings.HasPrefix(*g.Group.Path, aws.Value(in.PathPrefix)) }, shownGroup)
	out, more, next, err := pageOf(pages.Ask(in, in.Marker, in.MaxItems), groups, func(g iam.Group) string { return *g.GroupName })
	return &iam.ListGroupsOutput{Groups: out, IsTruncated: more, Marker: next}, err
}

// ListGroupsForUser implements the operation of that name.
func (s *Server) ListGroupsForUser(ctx context.Context, in *iam.ListGroupsForUserInput) (*iam.ListGroupsForUserOutput, error) {
	v, scope := s.db.View(), scopeOf(ctx)
	u, err := user(v, scope, in.UserName)
	if err != nil {
		return nil, err
	}
	groups := func(yield func(iam.Group) bool) {
		for _, name := range u.Groups {
			if g, ok := store.Groups.Get(v, scope.Key(name)); ok && !yield(g.Group) {
				return
			}
		}
	}
	out, more, next, err := pageOf(pages.Ask(in, in.Marker, in.MaxItems), groups, func(g iam.Group) string { return *g.GroupName })
	return &iam.ListGroupsForUserOutput{Groups: out, IsTruncated: more, Marker: next}, err
}

// AddUserToGroup implements the operation of that name.
func (s *Server) AddUserToGroup(ctx context.Context, in *iam.AddUserToGroupInput) (*iam.AddUserToGroupOutput, error) {
	err := s.changeUser(ctx, in.UserName, func(tx *store.Tx, u *record.User) error {
		g, err := group(tx, scopeOf(ctx), in.GroupName)
		if err != nil {
			return err
		}
		if at, found := slices.BinarySearch(u.Groups, *g.Group.GroupName); !found {
			u.Groups = slices.Insert(slices.Clone(u.Groups), at, *g.Group.GroupName)
		}
		return nil
	})
	return &iam.AddUserToGroupOutput{}, err
}

// RemoveUserFromGroup implements the operation of that name.
func (s *Server) RemoveUserFromGroup(ctx context.Context, in *iam.RemoveUserFromGroupInput) (*iam.RemoveUserFromGroupOutput, error) {
	err := s.changeUser(ctx, in.UserName, func(tx *store.Tx, u *record.User) error {
		g, err := group(tx, scopeOf(ctx), in.GroupName)
		if err != nil {
			return err
		}
		u.Groups = slices.DeleteFunc(slices.Clone(u.Groups), func(name string) bool { return name == *g.Group.GroupName })
		return nil
	})
	return &iam.RemoveUserFromGroupOutput{}, err
}

// DeleteGroup implements the operation of that name.
func (s *Server) DeleteGroup(ctx context.Context, in *iam.DeleteGroupInput) (*iam.DeleteGroupOutput, error) {
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		g, err := group(tx, scopeOf(ctx), in.GroupName)
		if err != nil {
			return err
		}
		for range store.Users.By(tx, "group", g.Key()) {
			return conflict("Cannot delete entity, must remove users from group first.")
		}
		if err := deletable(g.Permissions); err != nil {
			return err
		}
		store.Groups.Delete(tx, g.Key())
		return nil
	})
	return &iam.DeleteGroupOutput{}, err
}
