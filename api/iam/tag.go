package iam

import (
	"context"
	"slices"
	"strings"

	"fargo/api/page"
	"fargo/api/tags"
	"fargo/aws/iam"
	"fargo/record"
	"fargo/store"
)

// entityTags are the rules for tags of users and roles, whose keys are the same in
// any case; keys and values have their bounds in the model. The text on reserved keys
// is ours. Source: IAM user guide, "Tags for AWS Identity and Access Management
// resources".
var entityTags = tags.Rules[iam.Tag]{
	Most: 50, FoldCase: true,
	TooMany: func(int) error {
		return iam.LimitExceededException("The number of tags has reached the maximum limit.")
	},
	Reserved: func(string) error { return iam.InvalidInputException("Tag keys that begin with aws: are reserved.") },
	Duplicate: func(string) error {
		return iam.InvalidInputException("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
	},
}

// otherTags are the rules for tags of all else, whose keys differ in case.
var otherTags = func() tags.Rules[iam.Tag] {
	rules := entityTags
	rules.FoldCase = false
	return rules
}()

// pageOfTags takes one page of an entity's tags.
func pageOfTags(asked page.Request, tags []iam.Tag) ([]iam.Tag, *bool, *string, error) {
	sorted := slices.SortedFunc(slices.Values(tags), func(a, b iam.Tag) int { return strings.Compare(*a.Key, *b.Key) })
	return pageOf(asked, slices.Values(sorted), func(t iam.Tag) string { return *t.Key })
}

// TagRole implements the operation of that name.
func (s *Server) TagRole(ctx context.Context, in *iam.TagRoleInput) (*iam.TagRoleOutput, error) {
	err := s.changeRole(ctx, in.RoleName, func(_ *store.Tx, r *record.Role) (err error) {
		r.Role.Tags, err = entityTags.Merge(r.Role.Tags, in.Tags)
		return err
	})
	return &iam.TagRoleOutput{}, err
}

// UntagRole implements the operation of that name.
func (s *Server) UntagRole(ctx context.Context, in *iam.UntagRoleInput) (*iam.UntagRoleOutput, error) {
	err := s.changeRole(ctx, in.RoleName, func(_ *store.Tx, r *record.Role) (err error) {
		r.Role.Tags, err = entityTags.Remove(r.Role.Tags, in.TagKeys)
		return err
	})
	return &iam.UntagRoleOutput{}, err
}

// ListRoleTags implements the operation of that name.
func (s *Server) ListRoleTags(ctx context.Context, in *iam.ListRoleTagsInput) (*iam.ListRoleTagsOutput, error) {
	r, err := role(s.db.View(), scopeOf(ctx), in.RoleName)
	if err != nil {
		return nil, err
	}
	tags, more, next, err := pageOfTags(pages.Ask(in, in.Marker, in.MaxItems), r.Role.Tags)
	return &iam.ListRoleTagsOutput{Tags: tags, IsTruncated: more, Marker: next}, err
}

// TagUser implements the operation of that name.
func (s *Server) TagUser(ctx context.Context, in *iam.TagUserInput) (*iam.TagUserOutput, error) {
	err := s.changeUser(ctx, in.UserName, func(_ *store.Tx, u *record.User) (err error) {
		u.User.Tags, err = entityTags.Merge(u.User.Tags, in.Tags)
		return err
	})
	return &iam.TagUserOutput{}, err
}

// UntagUser implements the operation of that name.
func (s *Server) UntagUser(ctx context.Context, in *iam.UntagUserInput) (*iam.UntagUserOutput, error) {
	err := s.changeUser(ctx, in.UserName, func(_ *store.Tx, u *record.User) (err error) {
		u.User.Tags, err = entityTags.Remove(u.User.Tags, in.TagKeys)
		return err
	})
	return &iam.UntagUserOutput{}, err
}

// ListUserTags implements the operation of that name.
func (s *Server) ListUserTags(ctx context.Context, in *iam.ListUserTagsInput) (*iam.ListUserTagsOutput, error) {
	u, err := user(s.db.View(), scopeOf(ctx), in.UserName)
	if err != nil {
		return nil, err
	}
	tags, more, next, err := pageOfTags(pages.Ask(in, in.Marker, in.MaxItems), u.User.Tags)
	return &iam.ListUserTagsOutput{Tags: tags, IsTruncated: more, Marker: next}, err
}

// TagPolicy implements the operation of that name.
func (s *Server) TagPolicy(ctx context.Context, in *iam.TagPolicyInput) (*iam.TagPolicyOutput, error) {
	err := s.changePolicy(ctx, in.PolicyArn, func(_ *store.Tx, p *record.Policy) (err error) {
		p.Policy.Tags, err = otherTags.Merge(p.Policy.Tags, in.Tags)
		return err
	})
	return &iam.TagPolicyOutput{}, err
}

// UntagPolicy implements the operation of that name.
func (s *Server) UntagPolicy(ctx context.Context, in *iam.UntagPolicyInput) (*iam.UntagPolicyOutput, error) {
	err := s.changePolicy(ctx, in.PolicyArn, func(_ *store.Tx, p *record.Policy) (err error) {
		p.Policy.Tags, err = otherTags.Remove(p.Policy.Tags, in.TagKeys)
		return err
	})
	return &iam.UntagPolicyOutput{}, err
}

// ListPolicyTags implements the operation of that name.
func (s *Server) ListPolicyTags(ctx context.Context, in *iam.ListPolicyTagsInput) (*iam.ListPolicyTagsOutput, error) {
	p, err := managed(s.db.View(), scopeOf(ctx), in.PolicyArn)
	if err != nil {
		return nil, err
	}
	tags, more, next, err := pageOfTags(pages.Ask(in, in.Marker, in.MaxItems), p.Policy.Tags)
	return &iam.ListPolicyTagsOutput{Tags: tags, IsTruncated: more, Marker: next}, err
}

// TagInstanceProfile implements the operation of that name.
func (s *Server) TagInstanceProfile(ctx context.Context, in *iam.TagInstanceProfileInput) (*iam.TagInstanceProfileOutput, error) {
	err := s.changeProfile(ctx, in.InstanceProfileName, func(_ *store.Tx, p *record.InstanceProfile) (err error) {
		p.Profile.Tags, err = otherTags.Merge(p.Profile.Tags, in.Tags)
		return err
	})
	return &iam.TagInstanceProfileOutput{}, err
}

// UntagInstanceProfile implements the operation of that name.
func (s *Server) UntagInstanceProfile(ctx context.Context, in *iam.UntagInstanceProfileInput) (*iam.UntagInstanceProfileOutput, error) {
	err := s.changeProfile(ctx, in.InstanceProfileName, func(_ *store.Tx, p *record.InstanceProfile) (err error) {
		p.Profile.Tags, err = otherTags.Remove(p.Profile.Tags, in.TagKeys)
		return err
	})
	return &iam.UntagInstanceProfileOutput{}, err
}

// ListInstanceProfileTags implements the operation of that name.
func (s *Server) ListInstanceProfileTags(ctx context.Context, in *iam.ListInstanceProfileTagsInput) (*iam.ListInstanceProfileTagsOutput, error) {
	p, err := profile(s.db.View(), scopeOf(ctx), in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	tags, more, next, err := pageOfTags(pages.Ask(in, in.Marker, in.MaxItems), p.Profile.Tags)
	return &iam.ListInstanceProfileTagsOutput{Tags: tags, IsTruncated: more, Marker: next}, err
}
