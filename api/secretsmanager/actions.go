package secretsmanager

import (
	"strconv"
	"strings"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/secretsmanager"
	"fargo/record"
	"fargo/store"
)

// Actions are what the operations ask IAM for.
// Source: Service Authorization Reference, "AWS Secrets Manager". What a secret is called
// there that does not exist is inferred.
var Actions = &api.Actions{
	Prefix:      "secretsmanager",
	TagOnCreate: "secretsmanager:TagResource",
	Tags: func(r store.Reader, arn string) map[string]string {
		s, ok := byARN(r, arn)
		if !ok {
			return nil
		}
		return tagMap(s.Tags)
	},
	Policy: func(r store.Reader, arn string) (api.ResourcePolicy, bool) {
		s, ok := byARN(r, arn)
		if !ok || s.Policy == "" {
			return api.ResourcePolicy{}, false
		}
		return api.ResourcePolicy{Document: s.Policy}, true
	},
	Rows: map[string]api.Row{
		"ListSecrets":         api.AnyResource[any](),
		"GetRandomPassword":   api.AnyResource[any](),
		"BatchGetSecretValue": api.AnyResource[secretsmanager.BatchGetSecretValueInput]().Also(eachSecret),
		"CreateSecret": api.On(func(q *api.Query, in *secretsmanager.CreateSecretInput) []string {
			return []string{q.ARN("secretsmanager", "secret:"+aws.Value(in.Name)+anySuffix)}
		}).Tags(func(in *secretsmanager.CreateSecretInput) map[string]string { return tagMap(in.Tags) }).Creates().
			Key("secretsmanager:Name", func(_ *api.Query, in *secretsmanager.CreateSecretInput) []string { return api.Given(in.Name) }).
			Key("secretsmanager:Description", func(_ *api.Query, in *secretsmanager.CreateSecretInput) []string { return api.Given(in.Description) }).
			Key("secretsmanager:Type", func(_ *api.Query, in *secretsmanager.CreateSecretInput) []string { return api.Given(in.Type) }).
			Key("secretsmanager:KmsKeyId", func(_ *api.Query, in *secretsmanager.CreateSecretInput) []string { return api.Given(in.KmsKeyId) }).
			Key("secretsmanager:KmsKeyArn", func(q *api.Query, in *secretsmanager.CreateSecretInput) []string { return keyARN(q, in.KmsKeyId) }).
			Key("secretsmanager:AddReplicaRegions", func(_ *api.Query, in *secretsmanager.CreateSecretInput) (regions []string) {
				for _, r := range in.AddReplicaRegions {
					regions = append(regions, api.Given(r.Region)...)
				}
				return regions
			}).
			Key("secretsmanager:ForceOverwriteReplicaSecret", func(_ *api.Query, in *secretsmanager.CreateSecretInput) []string {
				return given(in.ForceOverwriteReplicaSecret, strconv.FormatBool)
			}),
		"UpdateSecret": on(func(in *secretsmanager.UpdateSecretInput) *string { return in.SecretId }).
			Key("secretsmanager:Description", func(_ *api.Query, in *secretsmanager.UpdateSecretInput) []string { return api.Given(in.Description) }).
			Key("secretsmanager:Type", func(_ *api.Query, in *secretsmanager.UpdateSecretInput) []string { return api.Given(in.Type) }).
			Key("secretsmanager:KmsKeyId", func(_ *api.Query, in *secretsmanager.UpdateSecretInput) []string { return api.Given(in.KmsKeyId) }).
			Key("secretsmanager:KmsKeyArn", func(q *api.Query, in *secretsmanager.UpdateSecretInput) []string { return keyARN(q, in.KmsKeyId) }),
		"GetSecretValue": on(func(in *secretsmanager.GetSecretValueInput) *string { return in.SecretId }).
			Key("secretsmanager:VersionId", func(_ *api.Query, in *secretsmanager.GetSecretValueInput) []string { return api.Given(in.VersionId) }).
			Key("secretsmanager:VersionStage", func(_ *api.Query, in *secretsmanager.GetSecretValueInput) []string {
				if in.VersionId == nil && in.VersionStage == nil {
					return []string{record.StageCurrent}
				}
				return api.Given(in.VersionStage)
			}),
		"DeleteSecret": on(func(in *secretsmanager.DeleteSecretInput) *string { return in.SecretId }).
			Key("secretsmanager:RecoveryWindowInDays", func(_ *api.Query, in *secretsmanager.DeleteSecretInput) []string {
				return given(in.RecoveryWindowInDays, func(days int64) string { return strconv.FormatInt(days, 10) })
			}).
			Key("secretsmanager:ForceDeleteWithoutRecovery", func(_ *api.Query, in *secretsmanager.DeleteSecretInput) []string {
				return given(in.ForceDeleteWithoutRecovery, strconv.FormatBool)
			}),
		"PutResourcePolicy": on(func(in *secretsmanager.PutResourcePolicyInput) *string { return in.SecretId }).
			Key("secretsmanager:BlockPublicPolicy", func(_ *api.Query, in *secretsmanager.PutResourcePolicyInput) []string {
				return given(in.BlockPublicPolicy, strconv.FormatBool)
			}),
		"RotateSecret": on(func(in *secretsmanager.RotateSecretInput) *string { return in.SecretId }).
			Key("secretsmanager:RotationLambdaARN", func(_ *api.Query, in *secretsmanager.RotateSecretInput) []string {
				return api.Given(in.RotationLambdaARN)
			}).
			Key("secretsmanager:ExternalSecretRotationRoleArn", func(_ *api.Query, in *secretsmanager.RotateSecretInput) []string {
				return api.Given(in.ExternalSecretRotationRoleArn)
			}).
			Key("secretsmanager:ModifyRotationRules", func(_ *api.Query, in *secretsmanager.RotateSecretInput) []string {
				return []string{strconv.FormatBool(in.RotationRules != nil)}
			}).
			Key("secretsmanager:RotateImmediately", func(_ *api.Query, in *secretsmanager.RotateSecretInput) []string {
				return []string{strconv.FormatBool(aws.ValueOr(in.RotateImmediately, true))}
			}),
		"UpdateSecretVersionStage": on(func(in *secretsmanager.UpdateSecretVersionStageInput) *string { return in.SecretId }).
			Key("secretsmanager:VersionStage", func(_ *api.Query, in *secretsmanager.UpdateSecretVersionStageInput) []string {
				return api.Given(in.VersionStage)
			}),
		"TagResource": on(func(in *secretsmanager.TagResourceInput) *string { return in.SecretId }).
			Tags(func(in *secretsmanager.TagResourceInput) map[string]string { return tagMap(in.Tags) }),
		"UntagResource": on(func(in *secretsmanager.UntagResourceInput) *string { return in.SecretId }).
			Tags(func(in *secretsmanager.UntagResourceInput) map[string]string {
				keys := map[string]string{}
				for _, key := range in.TagKeys {
					keys[key] = ""
				}
				return keys
			}),
		"CancelRotateSecret":     on(func(in *secretsmanager.CancelRotateSecretInput) *string { return in.SecretId }),
		"DeleteResourcePolicy":   on(func(in *secretsmanager.DeleteResourcePolicyInput) *string { return in.SecretId }),
		"DescribeSecret":         on(func(in *secretsmanager.DescribeSecretInput) *string { return in.SecretId }),
		"GetResourcePolicy":      on(func(in *secretsmanager.GetResourcePolicyInput) *string { return in.SecretId }),
		"ListSecretVersionIds":   on(func(in *secretsmanager.ListSecretVersionIdsInput) *string { return in.SecretId }),
		"PutSecretValue":         on(func(in *secretsmanager.PutSecretValueInput) *string { return in.SecretId }),
		"RestoreSecret":          on(func(in *secretsmanager.RestoreSecretInput) *string { return in.SecretId }),
		"ValidateResourcePolicy": on(func(in *secretsmanager.ValidateResourcePolicyInput) *string { return in.SecretId }),
	},
}

// anySuffix stands for the random end of the ARN of a secret that there is not. It is
// matched by what policies have in its place, question marks or an asterisk.
const anySuffix = "-??????"

// on is the row of an operation on the secret that an input names, with its ARN as
// secretsmanager:SecretId.
func on[In any](id func(*In) *string) api.Rule[In] {
	return api.On(func(q *api.Query, in *In) []string { return secretARN(q, id(in)) }).
		Key("secretsmanager:SecretId", func(q *api.Query, in *In) []string { return secretARN(q, id(in)) }).
		Key("secretsmanager:SecretPrimaryRegion", func(q *api.Query, _ *In) []string { return []string{q.Region} })
}

// secretARN is the ARN of the secret that a request names.
func secretARN(q *api.Query, id *string) []string {
	if aws.Value(id) == "" {
		return nil
	}
	if s, ok := store.FindSecret(q.State, q.Scope(), *id); ok {
		return []string{s.ARN}
	}
	if strings.HasPrefix(*id, "arn:") {
		return []string{*id}
	}
	return []string{q.ARN("secretsmanager", "secret:"+*id+anySuffix)}
}

// keyARN is the ARN of the KMS key that a request names.
func keyARN(q *api.Query, id *string) []string {
	if k, ok := store.FindKMSKey(q.State, q.Scope(), aws.Value(id)); ok {
		return []string{k.ARN()}
	}
	return nil
}

// eachSecret is what reading many secrets needs for each of them, and, when they are
// looked for, the list.
func eachSecret(q *api.Query, in *secretsmanager.BatchGetSecretValueInput) (all []api.Access) {
	if len(in.Filters) > 0 {
		all = append(all, api.Access{Action: "secretsmanager:ListSecrets"})
	}
	for _, id := range in.SecretIdList {
		all = append(all, api.Access{Action: "secretsmanager:GetSecretValue", Resources: secretARN(q, &id)})
	}
	return all
}

func byARN(r store.Reader, arn string) (*record.Secret, bool) {
	a, ok := fargo.ParseARN(arn)
	if !ok {
		return nil, false
	}
	return store.FindSecret(r, a.Scope(), arn)
}

// given is a list of an input's value; empty if it is absent.
func given[T any](v *T, text func(T) string) []string {
	if v == nil {
		return nil
	}
	return []string{text(*v)}
}

func tagMap(tags []secretsmanager.Tag) map[string]string {
	return api.TagMap(tags, func(t secretsmanager.Tag) (key, value *string) { return t.Key, t.Value })
}
