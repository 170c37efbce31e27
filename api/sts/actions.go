package sts

import (
	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/iam"
	"fargo/aws/sts"
	"fargo/record"
	"fargo/store"
)

// Actions are what the operations ask IAM for.
// Source: Service Authorization Reference, "AWS Security Token Service"; of tags,
// IAM user guide, "Pass session tags in AWS STS".
var Actions = &api.Actions{
	Prefix: "sts",
	Tags: func(r store.Reader, arn string) map[string]string {
		role, ok := roleByARN(r, arn)
		if !ok {
			return nil
		}
		return api.TagMap(role.Role.Tags, func(t iam.Tag) (key, value *string) { return t.Key, t.Value })
	},
	Policy: func(r store.Reader, arn string) (api.ResourcePolicy, bool) {
		role, ok := roleByARN(r, arn)
		if !ok {
			return api.ResourcePolicy{}, false
		}
		return api.ResourcePolicy{Document: *role.Role.AssumeRolePolicyDocument, Trust: true}, true
	},
	Rows: map[string]api.Row{
		"AssumeRole": api.On(func(_ *api.Query, in *sts.AssumeRoleInput) []string { return api.Given(in.RoleArn) }).
			Tags(func(in *sts.AssumeRoleInput) map[string]string {
				return api.TagMap(in.Tags, func(t sts.Tag) (key, value *string) { return t.Key, t.Value })
			}).
			Key("sts:ExternalId", func(_ *api.Query, in *sts.AssumeRoleInput) []string { return api.Given(in.ExternalId) }).
			Key("sts:RoleSessionName", func(_ *api.Query, in *sts.AssumeRoleInput) []string { return api.Given(in.RoleSessionName) }).
			Key("sts:SourceIdentity", func(_ *api.Query, in *sts.AssumeRoleInput) []string { return api.Given(in.SourceIdentity) }).
			Key("sts:TransitiveTagKeys", func(_ *api.Query, in *sts.AssumeRoleInput) []string { return in.TransitiveTagKeys }).
			Also(func(_ *api.Query, in *sts.AssumeRoleInput) []api.Access {
				var also []api.Access
				if len(in.Tags) > 0 {
					also = append(also, api.Access{Action: "sts:TagSession", Resources: api.Given(in.RoleArn)})
				}
				if in.SourceIdentity != nil {
					also = append(also, api.Access{Action: "sts:SetSourceIdentity", Resources: api.Given(in.RoleArn)})
				}
				return also
			}),
		"GetFederationToken": api.On(func(q *api.Query, in *sts.GetFederationTokenInput) []string {
			return []string{q.GlobalARN("sts", "federated-user/"+aws.Value(in.Name))}
		}).Tags(func(in *sts.GetFederationTokenInput) map[string]string {
			return api.TagMap(in.Tags, func(t sts.Tag) (key, value *string) { return t.Key, t.Value })
		}).Also(func(q *api.Query, in *sts.GetFederationTokenInput) []api.Access {
			if len(in.Tags) == 0 {
				return nil
			}
			return []api.Access{{Action: "sts:TagSession", Resources: []string{q.GlobalARN("sts", "federated-user/"+aws.Value(in.Name))}}}
		}),
		"DecodeAuthorizationMessage": api.AnyResource[any](),
		"GetAccessKeyInfo":           api.AnyResource[any](),
		"GetSessionToken":            api.AnyResource[any](),
		// Source: STS API, GetCallerIdentity: "No permissions are required".
		"GetCallerIdentity": api.NoPermission,
	},
}

func roleByARN(r store.Reader, arn string) (*record.Role, bool) {
	a, _ := fargo.ParseARN(arn)
	role, ok := store.Roles.Get(r, a.Scope().Key(a.Name()))
	return role, ok && *role.Role.Arn == arn
}
