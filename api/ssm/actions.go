package ssm

import (
	"strconv"
	"strings"

	"fargo"
	"fargo/api"
	apikms "fargo/api/kms"
	"fargo/aws"
	"fargo/aws/ssm"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// Actions are what the operations ask IAM for. What is decrypted or encrypted needs the
// right to use its key too, which the policies of AWS's own keys give to everyone in the
// account.
// Source: Service Authorization Reference, "AWS Systems Manager"; Systems Manager user
// guide, "AWS KMS encryption for SecureString parameters".
var Actions = &api.Actions{
	Prefix: "ssm", TagOnCreate: "ssm:AddTagsToResource",
	Tags: func(r store.Reader, arn string) map[string]string {
		a, ok := fargo.ParseARN(arn)
		if ok && a.Service == "kms" {
			return apikms.Tags(r, arn)
		}
		p, found := store.FindParameter(r, a.Scope(), arn)
		if !found {
			return nil
		}
		return tagMap(p.Tags)
	},
	Policy: apikms.Policy,
	Rows: map[string]api.Row{
		"PutParameter": on(func(in *ssm.PutParameterInput) []string { return api.Given(in.Name) }).
			Tags(func(in *ssm.PutParameterInput) map[string]string { return tagMap(in.Tags) }).Creates().
			Key("ssm:Overwrite", func(_ *api.Query, in *ssm.PutParameterInput) []string {
				return []string{strconv.FormatBool(aws.Value(in.Overwrite))}
			}).
			Key("ssm:Policies", func(_ *api.Query, in *ssm.PutParameterInput) []string { return api.Given(in.Policies) }).
			Also(encrypts),
		"GetParameter": decrypting(on(func(in *ssm.GetParameterInput) []string { return api.Given(in.Name) }),
			func(in *ssm.GetParameterInput) ([]string, *bool) { return api.Given(in.Name), in.WithDecryption }),
		"GetParameters": decrypting(on(func(in *ssm.GetParametersInput) []string { return in.Names }),
			func(in *ssm.GetParametersInput) ([]string, *bool) { return in.Names, in.WithDecryption }),
		"GetParameterHistory": decrypting(on(func(in *ssm.GetParameterHistoryInput) []string { return api.Given(in.Name) }),
			func(in *ssm.GetParameterHistoryInput) ([]string, *bool) {
				return api.Given(in.Name), in.WithDecryption
			}),
		"GetParametersByPath": on(func(in *ssm.GetParametersByPathInput) []string { return api.Given(in.Path) }).
			Key("ssm:Recursive", func(_ *api.Query, in *ssm.GetParametersByPathInput) []string {
				return []string{strconv.FormatBool(aws.Value(in.Recursive))}
			}).
			Also(decryptsBelow),
		"DeleteParameter":         on(func(in *ssm.DeleteParameterInput) []string { return api.Given(in.Name) }),
		"DeleteParameters":        on(func(in *ssm.DeleteParametersInput) []string { return in.Names }),
		"LabelParameterVersion":   on(func(in *ssm.LabelParameterVersionInput) []string { return api.Given(in.Name) }),
		"UnlabelParameterVersion": on(func(in *ssm.UnlabelParameterVersionInput) []string { return api.Given(in.Name) }),
		"DescribeParameters":      api.AnyResource[any](),
		"AddTagsToResource": on(func(in *ssm.AddTagsToResourceInput) []string { return api.Given(in.ResourceId) }).
			Tags(func(in *ssm.AddTagsToResourceInput) map[string]string { return tagMap(in.Tags) }),
		"RemoveTagsFromResource": on(func(in *ssm.RemoveTagsFromResourceInput) []string { return api.Given(in.ResourceId) }).
			Key("aws:TagKeys", func(_ *api.Query, in *ssm.RemoveTagsFromResourceInput) []string { return in.TagKeys }),
		"DescribeSessions": api.AnyResource[any](),
		// The resource is the container's task, as the agent's sessions are of tasks.
		"StartSession": api.On(func(q *api.Query, in *ssm.StartSessionInput) []string {
			cluster, task, _, ok := plan.ParseExecTarget(aws.Value(in.Target))
			if !ok {
				return []string{q.ARN("ec2", "instance/"+aws.Value(in.Target))}
			}
			return []string{q.ARN("ecs", "task/"+cluster+"/"+task)}
		}),
		"GetConnectionStatus": api.On(func(q *api.Query, in *ssm.GetConnectionStatusInput) []string {
			cluster, task, _, ok := plan.ParseExecTarget(aws.Value(in.Target))
			if !ok {
				return []string{q.ARN("ec2", "instance/"+aws.Value(in.Target))}
			}
			return []string{q.ARN("ecs", "task/"+cluster+"/"+task)}
		}).Inferred(),
		"ResumeSession": api.On(func(q *api.Query, in *ssm.ResumeSessionInput) []string {
			return []string{q.ARN("ssm", "session/"+aws.Value(in.SessionId))}
		}),
		"TerminateSession": api.On(func(q *api.Query, in *ssm.TerminateSessionInput) []string {
			return []string{q.ARN("ssm", "session/"+aws.Value(in.SessionId))}
		}),
		"ListTagsForResource": on(func(in *ssm.ListTagsForResourceInput) []string { return api.Given(in.ResourceId) }),
	},
}

// on is the row of an operation on the parameters that its input names.
func on[In any](names func(*In) []string) api.Rule[In] {
	return api.On(func(q *api.Query, in *In) []string {
		var arns []string
		for _, name := range names(in) {
			arns = append(arns, arnOf(q.Scope(), name))
		}
		return arns
	})
}

// arnOf is the ARN of the parameter that a caller names.
func arnOf(scope fargo.Scope, name string) string {
	bare, _ := plan.ParameterSelector(strings.TrimSpace(name))
	switch {
	case strings.HasPrefix(bare, "arn:"):
		return bare
	case publicParameters[bare] != nil:
		return "arn:aws:ssm:" + scope.Region + "::parameter" + bare
	}
	return record.ParameterARN(scope, bare)
}

// encrypts is the right to encrypt with the key of a SecureString that is put.
func encrypts(q *api.Query, in *ssm.PutParameterInput) []api.Access {
	v := &record.ParameterVersion{Type: in.Type}
	if p, ok := store.FindParameter(q.State, q.Scope(), aws.Value(in.Name)); ok {
		if before, ok := store.ParameterVersion(q.State, p, p.Version); ok {
			v = &record.ParameterVersion{Type: or(in.Type, before.Type), KeyID: before.KeyID}
		}
	}
	if v.Type != ssm.ParameterTypeSecureString {
		return nil
	}
	return uses(q, "kms:Encrypt", keyOf(v, in.KeyId), arnOf(q.Scope(), aws.Value(in.Name)))
}

// decrypting adds the right to decrypt with the keys of the parameters that an operation
// decrypts.
func decrypting[In any](r api.Rule[In], asked func(*In) (names []string, decrypt *bool)) api.Rule[In] {
	return r.Also(func(q *api.Query, in *In) (all []api.Access) {
		names, decrypt := asked(in)
		if !aws.Value(decrypt) {
			return nil
		}
		for _, name := range names {
			bare, _ := plan.ParameterSelector(strings.TrimSpace(name))
			if id, ok := strings.CutPrefix(bare, secretPrefix); ok {
				all = append(all, readsSecret(q, id)...)
			} else if p, ok := store.FindParameter(q.State, q.Scope(), bare); ok {
				all = append(all, decrypts(q, p)...)
			}
		}
		return all
	})
}

func decryptsBelow(q *api.Query, in *ssm.GetParametersByPathInput) (all []api.Access) {
	if !aws.Value(in.WithDecryption) {
		return nil
	}
	for p := range parametersBelow(q.State, q.Scope(), aws.Value(in.Path), aws.Value(in.Recursive)) {
		all = append(all, decrypts(q, p)...)
	}
	return all
}

func decrypts(q *api.Query, p *record.Parameter) []api.Access {
	v, ok := store.ParameterVersion(q.State, p, p.Version)
	if !ok || v.Type != ssm.ParameterTypeSecureString {
		return nil
	}
	return uses(q, "kms:Decrypt", v.KeyID, p.ARN())
}

// uses is the right to use a key for a parameter, through Systems Manager. A key that is not there yet is
// one of AWS's, or will not be found.
func uses(q *api.Query, action, keyID, parameter string) []api.Access {
	k, ok := store.FindKMSKey(q.State, q.Scope(), keyID)
	if !ok {
		return nil
	}
	return []api.Access{apikms.Via(q, "ssm", action, k.ARN(), map[string]string{"PARAMETER_ARN": parameter})}
}

// readsSecret is the right to read a secret that a parameter's name refers to.
func readsSecret(q *api.Query, id string) []api.Access {
	arn := q.ARN("secretsmanager", "secret:"+id)
	if s, ok := store.FindSecret(q.State, q.Scope(), id); ok {
		arn = s.ARN
	}
	return []api.Access{{Action: "secretsmanager:GetSecretValue", Resources: []string{arn}}}
}

func tagMap(tags []ssm.Tag) map[string]string { return api.TagMap(tags, ssm.Tag.KeyValue) }
