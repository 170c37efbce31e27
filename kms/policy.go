package kms

import (
	"encoding/json"

	"fargo"
)

// DefaultPolicy is the policy of a key that was made without one: the account decides
// with its IAM policies.
// Source: KMS developer guide, "Default key policy".
func DefaultPolicy(account string) string {
	return policy("key-default-1", statement{
		Sid: "Enable IAM User Permissions", Effect: "Allow", Principal: root(account), Action: "kms:*", Resource: "*",
	})
}

// servicePolicy is the policy of a key that AWS manages for a service: everybody in the
// account may use it through the service.
// Source: KMS developer guide, "AWS managed keys".
func servicePolicy(scope fargo.Scope, service string) string {
	return policy("auto-"+service+"-1",
		statement{
			Sid:    "Allow access through " + service + " for all principals in the account that are authorized to use it",
			Effect: "Allow", Principal: principal{"*"}, Resource: "*",
			Action:    []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey"},
			Condition: map[string]map[string]string{"StringEquals": {"kms:CallerAccount": scope.Account, "kms:ViaService": service + "." + scope.Region + ".amazonaws.com"}},
		},
		statement{
			Sid: "Allow direct access to key metadata to the account", Effect: "Allow", Principal: root(scope.Account), Resource: "*",
			Action: []string{"kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"},
		})
}

type principal struct{ AWS string }

func root(account string) principal { return principal{"arn:aws:iam::" + account + ":root"} }

type statement struct {
	Sid, Effect string
	Principal   principal
	Action      any // a string or several
	Resource    string
	Condition   map[string]map[string]string `json:",omitempty"`
}

func policy(id string, statements ...statement) string {
	b, err := json.MarshalIndent(struct {
		Version, Id string //nolint:revive,staticcheck // IAM's name
		Statement   []statement
	}{"2012-10-17", id, statements}, "", "  ")
	if err != nil {
		panic(err) // all of it is strings
	}
	return string(b)
}
