package iam

import (
	"context"
	"time"

	"fargo/aws/iam"
	"fargo/record"
	"fargo/store"
)

// trackingPeriod is how long the use of a role is shown.
// Source: IAM API, RoleLastUsed.
const trackingPeriod = 400 * 24 * time.Hour

// GetAccessKeyLastUsed implements the operation of that name.
func (s *Server) GetAccessKeyLastUsed(ctx context.Context, in *iam.GetAccessKeyLastUsedInput) (*iam.GetAccessKeyLastUsedOutput, error) {
	v := s.db.View()
	k, ok := store.AccessKeys.Get(v, *in.AccessKeyId)
	if !ok || k.Account != scopeOf(ctx).Account {
		return nil, missing("The Access Key with id %s cannot be found.", *in.AccessKeyId)
	}
	out := &iam.GetAccessKeyLastUsedOutput{
		UserName: k.Key.UserName, AccessKeyLastUsed: &iam.AccessKeyLastUsed{ServiceName: new("N/A"), Region: new("N/A")},
	}
	if used, ok := s.lastUse.of(v, *in.AccessKeyId); ok {
		out.AccessKeyLastUsed = &iam.AccessKeyLastUsed{LastUsedDate: &used.At, ServiceName: &used.Service, Region: &used.Region}
	}
	return out, nil
}

// roleLastUsed is when a role was last used, as answers have it: empty if it was not.
func (s *Server) roleLastUsed(r store.Reader, role *record.Role) *iam.RoleLastUsed {
	used, ok := s.lastUse.of(r, *role.Role.RoleId)
	if !ok || time.Since(used.At) > trackingPeriod {
		return &iam.RoleLastUsed{}
	}
	return &iam.RoleLastUsed{LastUsedDate: &used.At, Region: &used.Region}
}
