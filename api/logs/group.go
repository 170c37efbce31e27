package logs

import (
	"context"
	"slices"
	"strings"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/api/tags"
	"fargo/aws"
	"fargo/aws/logs"
	engine "fargo/logs"
)

// CreateLogGroup makes a log group.
func (s *Server) CreateLogGroup(ctx context.Context, in *logs.CreateLogGroupInput) (*logs.CreateLogGroupOutput, error) {
	if strings.HasPrefix(strings.ToLower(*in.LogGroupName), "aws/") {
		return nil, logs.InvalidParameterException("Log groups starting with AWS/ are reserved for AWS.")
	}
	if err := tagRules(groupARN(scopeOf(ctx), *in.LogGroupName)).Check(tags.Pairs(in.Tags)); err != nil {
		return nil, err
	}
	if err := s.checkKey(scopeOf(ctx), in.KmsKeyId, *in.LogGroupName); err != nil {
		return nil, err
	}
	class := in.LogGroupClass
	if class == "" {
		class = logs.LogGroupClassStandard
	}
	err := s.store.CreateGroup(ctx, scopeOf(ctx), engine.Group{
		Name:      *in.LogGroupName,
		Class:     string(class),
		KMSKey:    aws.Value(in.KmsKeyId),
		Tags:      in.Tags,
		Protected: aws.Value(in.DeletionProtectionEnabled),
	})
	if err != nil {
		return nil, refused(err)
	}
	return &logs.CreateLogGroupOutput{}, nil
}

// DeleteLogGroup removes a group, its streams and events.
func (s *Server) DeleteLogGroup(ctx context.Context, in *logs.DeleteLogGroupInput) (*logs.DeleteLogGroupOutput, error) {
	scope := scopeOf(ctx)
	g, err := s.store.Group(scope, *in.LogGroupName)
	if err != nil {
		return nil, refused(err)
	}
	if g.Protected {
		return nil, logs.ValidationException("Deletion protection is enabled on log group %s. Disable it before deleting.", g.Name)
	}
	if err := s.store.DeleteGroup(ctx, scope, g.Name); err != nil {
		return nil, refused(err)
	}
	return &logs.DeleteLogGroupOutput{}, nil
}

// PutLogGroupDeletionProtection says whether a group may be deleted.
func (s *Server) PutLogGroupDeletionProtection(ctx context.Context, in *logs.PutLogGroupDeletionProtectionInput) (*logs.PutLogGroupDeletionProtectionOutput, error) {
	name, err := groupOf(scopeOf(ctx), *in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	err = s.updateGroup(ctx, name, func(g *engine.Group) error {
		g.Protected = *in.DeletionProtectionEnabled
		return nil
	})
	return &logs.PutLogGroupDeletionProtectionOutput{}, err
}

// DescribeLogGroups lists groups by name.
func (s *Server) DescribeLogGroups(ctx context.Context, in *logs.DescribeLogGroupsInput) (*logs.DescribeLogGroupsOutput, error) {
	wanted, err := groupFilter(scopeOf(ctx), in)
	if err != nil {
		return nil, err
	}
	var groups []logs.LogGroup
	for _, g := range s.store.Groups(scopeOf(ctx)) {
		if wanted(g) && (g.Name != s.unlisted || in.LogGroupIdentifiers != nil || aws.Value(in.LogGroupNamePrefix) == g.Name) {
			shown := showGroup(ctx, g)
			if in.LogGroupNamePattern != nil { // then AWS shows less, as recorded
				shown.StoredBytes, shown.DeletionProtectionEnabled = nil, nil
			}
			groups = append(groups, shown)
		}
	}
	name := func(g logs.LogGroup) string { return *g.LogGroupName }
	shown, next, err := page.Of(pages.Ask(in, in.NextToken, in.Limit), slices.Values(groups), name)
	return &logs.DescribeLogGroupsOutput{LogGroups: shown, NextToken: next}, err
}

func groupFilter(scope fargo.Scope, in *logs.DescribeLogGroupsInput) (func(engine.Group) bool, error) {
	if in.LogGroupNamePrefix != nil && in.LogGroupNamePattern != nil {
		return nil, logs.InvalidParameterException("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	if in.LogGroupIdentifiers != nil && (in.LogGroupNamePrefix != nil || in.LogGroupNamePattern != nil) {
		return nil, logs.InvalidParameterException("LogGroup identifiers cannot be combined with a LogGroup name prefix or pattern.")
	}
	var names []string
	for _, id := range in.LogGroupIdentifiers {
		name, err := groupOf(scope, id)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return func(g engine.Group) bool {
		return strings.HasPrefix(g.Name, aws.Value(in.LogGroupNamePrefix)) &&
			strings.Contains(g.Name, aws.Value(in.LogGroupNamePattern)) &&
			(in.LogGroupClass == "" || g.Class == string(in.LogGroupClass)) &&
			(in.LogGroupIdentifiers == nil || slices.Contains(names, g.Name)) &&
			(len(in.AccountIdentifiers) == 0 || slices.Contains(in.AccountIdentifiers, scope.Account))
	}, nil
}

func showGroup(ctx context.Context, g engine.Group) logs.LogGroup {
	arn := groupARN(api.CallFrom(ctx).Scope(), g.Name)
	return logs.LogGroup{
		LogGroupName:              &g.Name,
		CreationTime:              &g.Created,
		RetentionInDays:           aws.NonZero(g.RetentionDays),
		MetricFilterCount:         new(int32(len(g.MetricFilters))),
		Arn:                       new(arn + ":*"),
		LogGroupArn:               &arn,
		StoredBytes:               &g.Bytes,
		KmsKeyId:                  aws.NonZero(g.KMSKey),
		LogGroupClass:             logs.LogGroupClass(g.Class),
		DeletionProtectionEnabled: &g.Protected,
	}
}

// retentions are the days events may be kept for. Source: PutRetentionPolicy.
var retentions = []int32{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// PutRetentionPolicy says how long a group keeps its events.
func (s *Server) PutRetentionPolicy(ctx context.Context, in *logs.PutRetentionPolicyInput) (*logs.PutRetentionPolicyOutput, error) {
	if !slices.Contains(retentions, *in.RetentionInDays) {
		return nil, logs.InvalidParameterException("1 validation error detected: Value '%d' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: %s",
			*in.RetentionInDays, listed(retentions))
	}
	return &logs.PutRetentionPolicyOutput{}, s.setRetention(ctx, *in.LogGroupName, *in.RetentionInDays)
}

// DeleteRetentionPolicy lets a group keep its events for ever.
func (s *Server) DeleteRetentionPolicy(ctx context.Context, in *logs.DeleteRetentionPolicyInput) (*logs.DeleteRetentionPolicyOutput, error) {
	return &logs.DeleteRetentionPolicyOutput{}, s.setRetention(ctx, *in.LogGroupName, 0)
}

func (s *Server) setRetention(ctx context.Context, group string, days int32) error {
	return s.updateGroup(ctx, group, func(g *engine.Group) error {
		g.RetentionDays = days
		return nil
	})
}

func (s *Server) updateGroup(ctx context.Context, name string, change func(*engine.Group) error) error {
	return refused(s.store.UpdateGroup(ctx, scopeOf(ctx), name, change))
}
