package iam

import (
	"context"
	"slices"
	"strings"

	"fargo/aws/iam"
	"fargo/record"
	"fargo/store"
)

// maxTags is how many tags an entity can have.
const maxTags = 50

// merged gives old tags with new ones in them, which replace those of the same
// key in any case.
func merged(old, tags []iam.Tag) ([]iam.Tag, error) {
	out := slices.Clone(old)
	for i, t := range tags {
		same := func(o iam.Tag) bool { return strings.EqualFold(*o.Key, *t.Key) }
		if slices.ContainsFunc(tags[:i], same) {
			return nil, iam.InvalidInputException("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		if at := slices.IndexFunc(out, same); at >= 0 {
			out[at] = t
		} else {
			out = append(out, t)
		}
	}
	if len(out) > maxTags {
		return nil, iam.LimitExceededException("The number of tags has reached the maximum limit.")
	}
	return out, nil
}

// without gives tags but those of some keys.
func without(tags []iam.Tag, keys []string) []iam.Tag {
	return slices.DeleteFunc(slices.Clone(tags), func(t iam.Tag) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, *t.Key) })
	})
}

// pageOfTags takes one page of an entity's tags.
func pageOfTags(tags []iam.Tag, marker *string, max *int32) ([]iam.Tag, *bool, *string, error) {
	sorted := slices.SortedFunc(slices.Values(tags), func(a, b iam.Tag) int { return strings.Compare(*a.Key, *b.Key) })
	return page(slices.Values(sorted), func(t iam.Tag) string { return *t.Key }, marker, max)
}

// TagRole implements the operation of that name.
func (s *Server) TagRole(ctx context.Context, in *iam.TagRoleInput) (*iam.TagRoleOutput, error) {
	err := s.changeRole(ctx, in.RoleName, func(_ *store.Tx, r *record.Role) (err error) {
		r.Role.Tags, err = merged(r.Role.Tags, in.Tags)
		return err
	})
	return &iam.TagRoleOutput{}, err
}

// UntagRole implements the operation of that name.
func (s *Server) UntagRole(ctx context.Context, in *iam.UntagRoleInput) (*iam.UntagRoleOutput, error) {
	err := s.changeRole(ctx, in.RoleName, func(_ *store.Tx, r *record.Role) error {
		r.Role.Tags = without(r.Role.Tags, in.TagKeys)
		return nil
	})
	return &iam.UntagRoleOutput{}, err
}

// ListRoleTags implements the operation of that name.
func (s *Server) ListRoleTags(ctx context.Context, in *iam.ListRoleTagsInput) (*iam.ListRoleTagsOutput, error) {
	r, err := role(s.db.View(), scopeOf(ctx), in.RoleName)
	if err != nil {
		return nil, err
	}
	tags, more, next, err := pageOfTags(r.Role.Tags, in.Marker, in.MaxItems)
	return &iam.ListRoleTagsOutput{Tags: tags, IsTruncated: more, Marker: next}, err
}

// TagUser implements the operation of that name.
func (s *Server) TagUser(ctx context.Context, in *iam.TagUserInput) (*iam.TagUserOutput, error) {
	err := s.changeUser(ctx, in.UserName, func(_ *store.Tx, u *record.User) (err error) {
		u.User.Tags, err = merged(u.User.Tags, in.Tags)
		return err
	})
	return &iam.TagUserOutput{}, err
}

// UntagUser implements the operation of that name.
func (s *Server) UntagUser(ctx context.Context, in *iam.UntagUserInput) (*iam.UntagUserOutput, error) {
	err := s.changeUser(ctx, in.UserName, func(_ *store.Tx, u *record.User) error {
		u.User.Tags = without(u.User.Tags, in.TagKeys)
		return nil
	})
	return &iam.UntagUserOutput{}, err
}

// ListUserTags implements the operation of that name.
func (s *Server) ListUserTags(ctx context.Context, in *iam.ListUserTagsInput) (*iam.ListUserTagsOutput, error) {
	u, err := user(s.db.View(), scopeOf(ctx), in.UserName)
	if err != nil {
		return nil, err
	}
	tags, more, next, err := pageOfTags(u.User.Tags, in.Marker, in.MaxItems)
	return &iam.ListUserTagsOutput{Tags: tags, IsTruncated: more, Marker: next}, err
}

// TagPolicy implements the operation of that name.
func (s *Server) TagPolicy(ctx context.Context, in *iam.TagPolicyInput) (*iam.TagPolicyOutput, error) {
	err := s.changePolicy(ctx, in.PolicyArn, func(_ *store.Tx, p *record.Policy) (err error) {
		p.Policy.Tags, err = merged(p.Policy.Tags, in.Tags)
		return err
	})
	return &iam.TagPolicyOutput{}, err
}

// UntagPolicy implements the operation of that name.
func (s *Server) UntagPolicy(ctx context.Context, in *iam.UntagPolicyInput) (*iam.UntagPolicyOutput, error) {
	err := s.changePolicy(ctx, in.PolicyArn, func(_ *store.Tx, p *record.Policy) error {
		p.Policy.Tags = without(p.Policy.Tags, in.TagKeys)
		return nil
	})
	return &iam.UntagPolicyOutput{}, err
}

// ListPolicyTags implements the operation of that name.
func (s *Server) ListPolicyTags(ctx context.Context, in *iam.ListPolicyTagsInput) (*iam.ListPolicyTagsOutput, error) {
	p, err := managed(s.db.View(), scopeOf(ctx), in.PolicyArn)
	if err != nil {
		return nil, err
	}
	tags, more, next, err := pageOfTags(p.Policy.Tags, in.Marker, in.MaxItems)
	return &iam.ListPolicyTagsOutput{Tags: tags, IsTruncated: more, Marker: next}, err
}

// TagInstanceProfile implements the operation of that name.
func (s *Server) TagInstanceProfile(ctx context.Context, in *iam.TagInstanceProfileInput) (*iam.TagInstanceProfileOutput, error) {
	err := s.changeProfile(ctx, in.InstanceProfileName, func(_ *store.Tx, p *record.InstanceProfile) (err error) {
		p.Profile.Tags, err = merged(p.Profile.Tags, in.Tags)
		return err
	})
	return &iam.TagInstanceProfileOutput{}, err
}

// UntagInstanceProfile implements the operation of that name.
func (s *Server) UntagInstanceProfile(ctx context.Context, in *iam.UntagInstanceProfileInput) (*iam.UntagInstanceProfileOutput, error) {
	err := s.changeProfile(ctx, in.InstanceProfileName, func(_ *store.Tx, p *record.InstanceProfile) error {
		p.Profile.Tags = without(p.Profile.Tags, in.TagKeys)
		return nil
	})
	return &iam.UntagInstanceProfileOutput{}, err
}

// ListInstanceProfileTags implements the operation of that name.
func (s *Server) ListInstanceProfileTags(ctx context.Context, in *iam.ListInstanceProfileTagsInput) (*iam.ListInstanceProfileTagsOutput, error) {
	p, err := profile(s.db.View(), scopeOf(ctx), in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	tags, more, next, err := pageOfTags(p.Profile.Tags, in.Marker, in.MaxItems)
	return &iam.ListInstanceProfileTagsOutput{Tags: tags, IsTruncated: more, Marker: next}, err
}
