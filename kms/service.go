package kms

import (
	"errors"
	"strings"

	"fargo"
	"fargo/plan"
	policies "fargo/policy"
	"fargo/store"
)

// serviceActions are what a service needs of a key that it encrypts its users' data with.
// Source: CloudWatch Logs user guide, "Encrypt log data using AWS KMS".
var serviceActions = []string{"kms:GenerateDataKey", "kms:Encrypt", "kms:Decrypt"}

// ErrNotAllowed is of a key whose policy does not let a service use it.
var ErrNotAllowed = errors.New("the key policy does not allow it")

// UsableBy returns nil if a key, by its ARN, can encrypt, and its policy lets an AWS service
// ("logs.us-east-1.amazonaws.com") use it for a resource, whose ARN the encryption context
// has under a name. Policies of IAM are not asked: a service is none of the account's.
func UsableBy(r store.Reader, keyARN, service, contextName, resourceARN string) error {
	a, _ := fargo.ParseARN(keyARN)
	k, ok := store.FindKMSKey(r, a.Scope(), keyARN)
	if !ok || !strings.HasPrefix(a.Resource, "key/") {
		return plan.KMSKeyNotFound(a.Scope(), keyARN)
	}
	document, err := policies.Parse(k.Policy)
	if err != nil {
		return err
	}
	for _, action := range serviceActions {
		if policies.Evaluate(policies.Request{
			Action: action, Resource: keyARN, Principal: policies.Principal{Service: service},
			Context: policies.Values{
				"kms:encryptioncontext:" + strings.ToLower(contextName): {resourceARN}, "kms:encryptioncontextkeys": {contextName},
				"kms:calleraccount": {a.Account}, "aws:sourceaccount": {a.Account}, "aws:sourcearn": {resourceARN},
			},
		}, document) != policies.Allow {
			return ErrNotAllowed
		}
	}
	return plan.KMSKeyUsable(k)
}
