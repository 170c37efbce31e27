package iam

import (
	"context"
	"strings"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/iam"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

// user finds a user by name.
func user(r store.Reader, s fargo.Scope, name *string) (*record.User, error) {
	if found, ok := store.Named(store.Users, r, s.Key(*name)); ok {
		return found, nil
	}
	return nil, missing("The user with name %s cannot be found.", *name)
}

// named is the user that a call names, or the caller if it names none.
func named(ctx context.Context, name *string) (*string, error) {
	if name != nil {
		return name, nil
	}
	a, _ := fargo.ParseARN(api.CallFrom(ctx).PrincipalARN)
	if !strings.HasPrefix(a.Resource, "user/") {
		return nil, protocol.Errorf("ValidationError", "Must specify userName when calling with non-User credentials")
	}
	return new(a.Name()), nil
}

// changeUser lets f change a copy of a user, and stores it.
func (s *Server) changeUser(ctx context.Context, name *string, f func(*store.Tx, *record.User) error) error {
	return change(ctx, s.db, store.Users, user, name, f)
}

// newUser makes a user without anything but what every user has.
func newUser(s fargo.Scope, name, path string) *record.User {
	return &record.User{Account: s.Account, User: iam.User{
		UserName: &name, Path: &path, UserId: new(fargo.NewIAMID("AIDA")),
		Arn: new(s.ARN("iam", "user"+path+name)), CreateDate: now(),
	}}
}

// CreateUser implements the operation of that name.
func (s *Server) CreateUser(ctx context.Context, in *iam.CreateUserInput) (*iam.CreateUserOutput, error) {
	path, err := pathOf(in.Path)
	if err != nil {
		return nil, err
	}
	scope := scopeOf(ctx)
	u := newUser(scope, *in.UserName, *path)
	if u.User.Tags, err = entityTags.Merge(nil, in.Tags); err != nil {
		return nil, err
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		if _, ok := store.Named(store.Users, tx, u.Key()); ok {
			return exists("User with name %s already exists.", *in.UserName)
		}
		if u.User.PermissionsBoundary, err = boundary(tx, scope, in.PermissionsBoundary); err != nil {
			return err
		}
		store.Users.Put(tx, u)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreateUserOutput{User: &u.User}, nil
}

// GetUser implements the operation of that name.
func (s *Server) GetUser(ctx context.Context, in *iam.GetUserInput) (*iam.GetUserOutput, error) {
	name, err := named(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	u, err := user(s.db.View(), scopeOf(ctx), name)
	if err != nil {
		return nil, err
	}
	return &iam.GetUserOutput{User: &u.User}, nil
}

// ListUsers implements the operation of that name.
func (s *Server) ListUsers(ctx context.Context, in *iam.ListUsersInput) (*iam.ListUsersOutput, error) {
	users := each(store.Users.Prefix(s.db.View(), scopeOf(ctx).Key()),
		func(u *record.User) bool { return strings.HasPrefix(*u.User.Path, aws.Value(in.PathPrefix)) }, listedUser)
	out, more, next, err := pageOf(pages.Ask(in, in.Marker, in.MaxItems), users, func(u iam.User) string { return *u.UserName })
	return &iam.ListUsersOutput{Users: out, IsTruncated: more, Marker: next}, err
}

// listedUser leaves out what lists do not have. Source: IAM API, ListUsers.
func listedUser(u *record.User) iam.User {
	shown := u.User
	shown.PermissionsBoundary, shown.Tags = nil, nil
	return shown
}

// UpdateUser implements the operation of that name.
func (s *Server) UpdateUser(ctx context.Context, in *iam.UpdateUserInput) (*iam.UpdateUserOutput, error) {
	scope := scopeOf(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		old, err := user(tx, scope, in.UserName)
		if err != nil {
			return err
		}
		changed := *old
		if in.NewPath != nil {
			if changed.User.Path, err = pathOf(in.NewPath); err != nil {
				return err
			}
		}
		if in.NewUserName != nil {
			changed.User.UserName = in.NewUserName
		}
		changed.User.Arn = new(scope.ARN("iam", "user"+*changed.User.Path+*changed.User.UserName))
		if changed.Key() != old.Key() {
			if other, ok := store.Named(store.Users, tx, changed.Key()); ok && other != old {
				return exists("User with name %s already exists.", *in.NewUserName)
			}
			store.Users.Delete(tx, old.Key())
			for k := range store.AccessKeys.By(tx, "user", old.Key()) {
				moved := *k
				moved.Key.UserName = in.NewUserName
				store.AccessKeys.Put(tx, &moved)
			}
		}
		store.Users.Put(tx, &changed)
		return nil
	})
	return &iam.UpdateUserOutput{}, err
}

// DeleteUser implements the operation of that name.
func (s *Server) DeleteUser(ctx context.Context, in *iam.DeleteUserInput) (*iam.DeleteUserOutput, error) {
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := user(tx, scopeOf(ctx), in.UserName)
		if err != nil {
			return err
		}
		for range store.AccessKeys.By(tx, "user", u.Key()) {
			return conflict("Cannot delete entity, must delete access keys first.")
		}
		if len(u.Groups) > 0 {
			return conflict("Cannot delete entity, must remove users from group first.")
		}
		if err := deletable(u.Permissions); err != nil {
			return err
		}
		store.Users.Delete(tx, u.Key())
		return nil
	})
	return &iam.DeleteUserOutput{}, err
}

// PutUserPermissionsBoundary implements the operation of that name.
func (s *Server) PutUserPermissionsBoundary(ctx context.Context, in *iam.PutUserPermissionsBoundaryInput) (*iam.PutUserPermissionsBoundaryOutput, error) {
	err := s.changeUser(ctx, in.UserName, func(tx *store.Tx, u *record.User) (err error) {
		u.User.PermissionsBoundary, err = boundary(tx, scopeOf(ctx), in.PermissionsBoundary)
		return err
	})
	return &iam.PutUserPermissionsBoundaryOutput{}, err
}

// DeleteUserPermissionsBoundary implements the operation of that name.
func (s *Server) DeleteUserPermissionsBoundary(ctx context.Context, in *iam.DeleteUserPermissionsBoundaryInput) (*iam.DeleteUserPermissionsBoundaryOutput, error) {
	err := s.changeUser(ctx, in.UserName, func(_ *store.Tx, u *record.User) error {
		u.User.PermissionsBoundary = nil
		return nil
	})
	return &iam.DeleteUserPermissionsBoundaryOutput{}, err
}
