package kms

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/kms"
	engine "fargo/kms"
	"fargo/store"
)

// Actions are what the operations ask IAM for: a key that is named by an alias is
// asked for by its own ARN, and that of a ciphertext by what the ciphertext says.
// Source: Service Authorization Reference, "AWS Key Management Service".
var Actions = &api.Actions{
	Prefix: "kms", TagOnCreate: "kms:TagResource",
	Tags: Tags, Policy: Policy,
	Attributes: func(r store.Reader, arn, key string) []string {
		if key != "kms:resourcealiases" {
			return nil
		}
		return aliasesOf(r, arn)
	},
	Rows: map[string]api.Row{
		"CreateKey": asked(api.AnyResource[kms.CreateKeyInput]()).
			Tags(func(in *kms.CreateKeyInput) map[string]string { return tagMap(in.Tags) }).Creates().
			Key("kms:BypassPolicyLockoutSafetyCheck", func(_ *api.Query, in *kms.CreateKeyInput) []string {
				return []string{strconv.FormatBool(aws.Value(in.BypassPolicyLockoutSafetyCheck))}
			}).
			Key("kms:KeySpec", func(_ *api.Query, in *kms.CreateKeyInput) []string { return api.Given(&in.KeySpec) }).
			Key("kms:KeyUsage", func(_ *api.Query, in *kms.CreateKeyInput) []string { return api.Given(&in.KeyUsage) }).
			Key("kms:KeyOrigin", func(_ *api.Query, in *kms.CreateKeyInput) []string { return api.Given(&in.Origin) }).
			Key("kms:MultiRegion", func(_ *api.Query, in *kms.CreateKeyInput) []string {
				return []string{strconv.FormatBool(aws.Value(in.MultiRegion))}
			}),
		"ListKeys":             api.AnyResource[any](),
		"ListAliases":          api.AnyResource[any](),
		"GenerateRandom":       api.AnyResource[any](),
		"CancelKeyDeletion":    on(func(in *kms.CancelKeyDeletionInput) *string { return in.KeyId }),
		"DescribeKey":          requestAlias(on(func(in *kms.DescribeKeyInput) *string { return in.KeyId }), func(in *kms.DescribeKeyInput) *string { return in.KeyId }),
		"DisableKey":           on(func(in *kms.DisableKeyInput) *string { return in.KeyId }),
		"DisableKeyRotation":   on(func(in *kms.DisableKeyRotationInput) *string { return in.KeyId }),
		"EnableKey":            on(func(in *kms.EnableKeyInput) *string { return in.KeyId }),
		"GetKeyPolicy":         on(func(in *kms.GetKeyPolicyInput) *string { return in.KeyId }),
		"GetKeyRotationStatus": on(func(in *kms.GetKeyRotationStatusInput) *string { return in.KeyId }),
		"ListKeyPolicies":      on(func(in *kms.ListKeyPoliciesInput) *string { return in.KeyId }),
		"ListKeyRotations":     on(func(in *kms.ListKeyRotationsInput) *string { return in.KeyId }),
		"ListResourceTags":     on(func(in *kms.ListResourceTagsInput) *string { return in.KeyId }),
		"RotateKeyOnDemand":    on(func(in *kms.RotateKeyOnDemandInput) *string { return in.KeyId }),
		"UpdateKeyDescription": on(func(in *kms.UpdateKeyDescriptionInput) *string { return in.KeyId }),
		"EnableKeyRotation": on(func(in *kms.EnableKeyRotationInput) *string { return in.KeyId }).
			Key("kms:RotationPeriodInDays", func(_ *api.Query, in *kms.EnableKeyRotationInput) []string { return number(in.RotationPeriodInDays) }),
		"PutKeyPolicy": on(func(in *kms.PutKeyPolicyInput) *string { return in.KeyId }).
			Key("kms:BypassPolicyLockoutSafetyCheck", func(_ *api.Query, in *kms.PutKeyPolicyInput) []string {
				return []string{strconv.FormatBool(aws.Value(in.BypassPolicyLockoutSafetyCheck))}
			}),
		"ScheduleKeyDeletion": on(func(in *kms.ScheduleKeyDeletionInput) *string { return in.KeyId }).
			Key("kms:ScheduleKeyDeletionPendingWindowInDays", func(_ *api.Query, in *kms.ScheduleKeyDeletionInput) []string {
				return number(in.PendingWindowInDays)
			}),
		"TagResource": on(func(in *kms.TagResourceInput) *string { return in.KeyId }).
			Tags(func(in *kms.TagResourceInput) map[string]string { return tagMap(in.Tags) }),
		"UntagResource": on(func(in *kms.UntagResourceInput) *string { return in.KeyId }).
			Key("aws:TagKeys", func(_ *api.Query, in *kms.UntagResourceInput) []string { return in.TagKeys }),
		"CreateAlias": asked(api.On(func(q *api.Query, in *kms.CreateAliasInput) []string {
			return append(aliasARN(q, in.AliasName), keyARN(q, in.TargetKeyId)...)
		})),
		"UpdateAlias": asked(api.On(func(q *api.Query, in *kms.UpdateAliasInput) []string {
			return append(append(aliasARN(q, in.AliasName), keyARN(q, in.AliasName)...), keyARN(q, in.TargetKeyId)...)
		})),
		"DeleteAlias": asked(api.On(func(q *api.Query, in *kms.DeleteAliasInput) []string {
			return append(aliasARN(q, in.AliasName), keyARN(q, in.AliasName)...)
		})),
		"Encrypt": cryptographic(func(in *kms.EncryptInput) *string { return in.KeyId }, func(in *kms.EncryptInput) map[string]string { return in.EncryptionContext }).
			Key("kms:EncryptionAlgorithm", func(_ *api.Query, in *kms.EncryptInput) []string { return algorithm(in.EncryptionAlgorithm) }),
		"GenerateDataKey": cryptographic(func(in *kms.GenerateDataKeyInput) *string { return in.KeyId }, func(in *kms.GenerateDataKeyInput) map[string]string { return in.EncryptionContext }),
		"GenerateDataKeyWithoutPlaintext": cryptographic(func(in *kms.GenerateDataKeyWithoutPlaintextInput) *string { return in.KeyId },
			func(in *kms.GenerateDataKeyWithoutPlaintextInput) map[string]string { return in.EncryptionContext }),
		"Decrypt": contextKeys(requestAlias(asked(api.On(func(q *api.Query, in *kms.DecryptInput) []string {
			return ciphertextKey(q, in.CiphertextBlob)
		})), func(in *kms.DecryptInput) *string { return in.KeyId }), func(in *kms.DecryptInput) map[string]string { return in.EncryptionContext }).
			Key("kms:EncryptionAlgorithm", func(_ *api.Query, in *kms.DecryptInput) []string { return algorithm(in.EncryptionAlgorithm) }),
		"ReEncrypt": asked(api.AnyResource[kms.ReEncryptInput]()).Instead(func(q *api.Query, in *kms.ReEncryptInput) []api.Access {
			return []api.Access{
				withContext(q, "kms:ReEncryptFrom", ciphertextKey(q, in.CiphertextBlob), in.SourceEncryptionContext),
				withContext(q, "kms:ReEncryptTo", keyARN(q, in.DestinationKeyId), in.DestinationEncryptionContext),
			}
		}),
	},
}

// Policy is the policy of a key, which must allow whatever else does: for most, it lets
// the account's IAM policies decide.
func Policy(r store.Reader, arn string) (api.ResourcePolicy, bool) {
	a, ok := fargo.ParseARN(arn)
	if !ok {
		return api.ResourcePolicy{}, false
	}
	k, ok := store.FindKMSKey(r, a.Scope(), arn)
	if !ok {
		return api.ResourcePolicy{}, false
	}
	return api.ResourcePolicy{Document: k.Policy, Trust: true}, true
}

// Tags are the tags of a key.
func Tags(r store.Reader, arn string) map[string]string {
	a, ok := fargo.ParseARN(arn)
	if !ok {
		return nil
	}
	k, ok := store.FindKMSKey(r, a.Scope(), arn)
	if !ok {
		return nil
	}
	return tagMap(k.Tags)
}

func aliasesOf(r store.Reader, arn string) (names []string) {
	a, ok := fargo.ParseARN(arn)
	if !ok {
		return nil
	}
	if k, ok := store.FindKMSKey(r, a.Scope(), arn); ok {
		for alias := range store.AliasesOfKMSKey(r, k) {
			names = append(names, alias.Name)
		}
	}
	return names
}

// Via is what a service asks of KMS for its caller, with the caller's permissions.
func Via(q *api.Query, service, action, keyARN string, context map[string]string) api.Access {
	a := withContext(q, action, []string{keyARN}, context)
	a.Keys["kms:viaservice"] = []string{service + "." + q.Region + ".amazonaws.com"}
	return a
}

// encryptionContext begins the keys that have what an encryption context says.
const encryptionContext = "kms:EncryptionContext:"

// withContext is the access to keys with an encryption context.
func withContext(q *api.Query, action string, keys []string, context map[string]string) api.Access {
	a := api.Access{Action: action, Resources: keys, Keys: map[string][]string{
		"kms:calleraccount":         {q.PrincipalAccount()},
		"kms:encryptioncontextkeys": slices.Sorted(maps.Keys(context)),
	}}
	for key, value := range context {
		key = strings.ToLower(encryptionContext + key)
		a.Keys[key] = append(a.Keys[key], value)
	}
	return a
}

// asked adds what every request has. Nobody but a service asks for others: see [Via].
func asked[In any](r api.Rule[In]) api.Rule[In] {
	return r.Key("kms:CallerAccount", func(q *api.Query, _ *In) []string { return []string{q.PrincipalAccount()} }).
		Key("kms:ViaService", func(*api.Query, *In) []string { return nil })
}

func on[In any](key func(*In) *string) api.Rule[In] {
	return asked(api.On(func(q *api.Query, in *In) []string { return keyARN(q, key(in)) }))
}

// cryptographic is the row of an operation that uses a key.
func cryptographic[In any](key func(*In) *string, context func(*In) map[string]string) api.Rule[In] {
	return contextKeys(requestAlias(on(key), key), context)
}

func contextKeys[In any](r api.Rule[In], context func(*In) map[string]string) api.Rule[In] {
	return r.Key("kms:EncryptionContextKeys", func(_ *api.Query, in *In) []string { return slices.Sorted(maps.Keys(context(in))) }).
		KeyPrefix(encryptionContext, func(in *In, rest string) (values []string) {
			for key, value := range context(in) {
				if strings.EqualFold(key, rest) {
					values = append(values, value)
				}
			}
			return values
		})
}

func requestAlias[In any](r api.Rule[In], key func(*In) *string) api.Rule[In] {
	return r.Key("kms:RequestAlias", func(_ *api.Query, in *In) []string {
		id := aws.Value(key(in))
		if !isAlias(id) {
			return nil
		}
		return []string{id[strings.Index(id, "alias/"):]}
	})
}

// keyARN is the ARN of the key that an input names, whether there is one or not.
func keyARN(q *api.Query, keyID *string) []string {
	id := aws.Value(keyID)
	if k, ok := store.FindKMSKey(q.State, q.Scope(), id); ok {
		return []string{k.ARN()}
	}
	if strings.HasPrefix(id, "arn:") {
		return []string{id}
	}
	return []string{q.ARN("kms", "key/"+id)}
}

func aliasARN(q *api.Query, name *string) []string { return []string{q.ARN("kms", aws.Value(name))} }

func ciphertextKey(q *api.Query, blob []byte) []string {
	k, _, err := engine.KeyOf(q.State, q.Scope(), blob)
	if err != nil {
		return []string{q.ARN("kms", "key/*")}
	}
	return []string{k.ARN()}
}

func algorithm(given kms.EncryptionAlgorithmSpec) []string {
	if given == "" {
		given = symmetric
	}
	return []string{string(given)}
}

func number(n *int32) []string {
	if n == nil {
		return nil
	}
	return []string{strconv.Itoa(int(*n))}
}

func tagMap(tags []kms.Tag) map[string]string { return api.TagMap(tags, kms.Tag.KeyValue) }
