package iam

import (
	"context"
	"strings"

	"fargo"
	"fargo/aws"
	"fargo/aws/iam"
	"fargo/record"
	"fargo/store"
)

// profile finds an instance profile by name.
func profile(r store.Reader, s fargo.Scope, name *string) (*record.InstanceProfile, error) {
	if found, ok := store.Named(store.InstanceProfiles, r, s.Key(*name)); ok {
		return found, nil
	}
	return nil, missing("Instance Profile %s cannot be found.", *name)
}

// changeProfile lets f change a copy of an instance profile, and stores it.
func (s *Server) changeProfile(ctx context.Context, name *string, f func(*store.Tx, *record.InstanceProfile) error) error {
	return change(ctx, s.db, store.InstanceProfiles, profile, name, f)
}

// shownProfile is an instance profile as answers carry it, its role inside.
func shownProfile(r store.Reader, p *record.InstanceProfile) iam.InstanceProfile {
	shown := p.Profile
	shown.Roles = []iam.Role{}
	if held, ok := store.Roles.Get(r, fargo.Scope{Account: p.Account}.Key(p.Role)); ok {
		shown.Roles = append(shown.Roles, roleOfProfile(r, held))
	}
	return shown
}

// roleOfProfile is a role inside an instance profile.
// Source: IAM API, the answer of GetInstanceProfile.
func roleOfProfile(r store.Reader, held *record.Role) iam.Role {
	shown := listedRole(r)(held)
	shown.MaxSessionDuration = nil
	return shown
}

// CreateInstanceProfile implements the operation of that name.
func (s *Server) CreateInstanceProfile(ctx context.Context, in *iam.CreateInstanceProfileInput) (*iam.CreateInstanceProfileOutput, error) {
	path, err := pathOf(in.Path)
	if err != nil {
		return nil, err
	}
	tags, err := otherTags.Merge(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	scope := scopeOf(ctx)
	p := &record.InstanceProfile{Account: scope.Account, Profile: iam.InstanceProfile{
		InstanceProfileName: in.InstanceProfileName, Path: path, InstanceProfileId: new(fargo.NewIAMID("AIPA")),
		Arn: new(scope.ARN("iam", "instance-profile"+*path+*in.InstanceProfileName)), CreateDate: now(), Tags: tags,
	}}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		if _, ok := store.Named(store.InstanceProfiles, tx, p.Key()); ok {
			return exists("Instance Profile %s already exists.", *in.InstanceProfileName)
		}
		store.InstanceProfiles.Put(tx, p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreateInstanceProfileOutput{InstanceProfile: new(shownProfile(s.db.View(), p))}, nil
}

// GetInstanceProfile implements the operation of that name.
func (s *Server) GetInstanceProfile(ctx context.Context, in *iam.GetInstanceProfileInput) (*iam.GetInstanceProfileOutput, error) {
	v := s.db.View()
	p, err := profile(v, scopeOf(ctx), in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	return &iam.GetInstanceProfileOutput{InstanceProfile: new(shownProfile(v, p))}, nil
}

func profileName(p iam.InstanceProfile) string { return *p.InstanceProfileName }

// ListInstanceProfiles implements the operation of that name.
func (s *Server) ListInstanceProfiles(ctx context.Context, in *iam.ListInstanceProfilesInput) (*iam.ListInstanceProfilesOutput, error) {
	v := s.db.View()
	profiles := each(store.InstanceProfiles.Prefix(v, scopeOf(ctx).Key()),
		func(p *record.InstanceProfile) bool {
			return strings.HasPrefix(*p.Profile.Path, aws.Value(in.PathPrefix))
		},
		func(p *record.InstanceProfile) iam.InstanceProfile { return shownProfile(v, p) })
	out, more, next, err := pageOf(pages.Ask(in, in.Marker, in.MaxItems), profiles, profileName)
	return &iam.ListInstanceProfilesOutput{InstanceProfiles: out, IsTruncated: more, Marker: next}, err
}

// ListInstanceProfilesForRole implements the operation of that name.
func (s *Server) ListInstanceProfilesForRole(ctx context.Context, in *iam.ListInstanceProfilesForRoleInput) (*iam.ListInstanceProfilesForRoleOutput, error) {
	v := s.db.View()
	r, err := role(v, scopeOf(ctx), in.RoleName)
	if err != nil {
		return nil, err
	}
	profiles := each(store.InstanceProfiles.By(v, "role", r.Key()),
		func(*record.InstanceProfile) bool { return true },
		func(p *record.InstanceProfile) iam.InstanceProfile { return shownProfile(v, p) })
	out, more, next, err := pageOf(pages.Ask(in, in.Marker, in.MaxItems), profiles, profileName)
	return &iam.ListInstanceProfilesForRoleOutput{InstanceProfiles: out, IsTruncated: more, Marker: next}, err
}

// AddRoleToInstanceProfile implements the operation of that name.
func (s *Server) AddRoleToInstanceProfile(ctx context.Context, in *iam.AddRoleToInstanceProfileInput) (*iam.AddRoleToInstanceProfileOutput, error) {
	err := s.changeProfile(ctx, in.InstanceProfileName, func(tx *store.Tx, p *record.InstanceProfile) error {
		r, err := role(tx, scopeOf(ctx), in.RoleName)
		if err != nil {
			return err
		}
		if p.Role != "" {
			return iam.LimitExceededException("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
		}
		p.Role = *r.Role.RoleName
		return unprotected(r)
	})
	return &iam.AddRoleToInstanceProfileOutput{}, err
}

// RemoveRoleFromInstanceProfile implements the operation of that name.
func (s *Server) RemoveRoleFromInstanceProfile(ctx context.Context, in *iam.RemoveRoleFromInstanceProfileInput) (*iam.RemoveRoleFromInstanceProfileOutput, error) {
	err := s.changeProfile(ctx, in.InstanceProfileName, func(_ *store.Tx, p *record.InstanceProfile) error {
		if !strings.EqualFold(p.Role, *in.RoleName) {
			return missing("Role %s cannot be found in Instance Profile %s.", *in.RoleName, *in.InstanceProfileName)
		}
		p.Role = ""
		return nil
	})
	return &iam.RemoveRoleFromInstanceProfileOutput{}, err
}

// DeleteInstanceProfile implements the operation of that name.
func (s *Server) DeleteInstanceProfile(ctx context.Context, in *iam.DeleteInstanceProfileInput) (*iam.DeleteInstanceProfileOutput, error) {
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		p, err := profile(tx, scopeOf(ctx), in.InstanceProfileName)
		if err != nil {
			return err
		}
		if p.Role != "" {
			return conflict("Cannot delete entity, must remove roles from instance profile first.")
		}
		store.InstanceProfiles.Delete(tx, p.Key())
		return nil
	})
	return &iam.DeleteInstanceProfileOutput{}, err
}
