package plan_test

import (
	"strings"
	"testing"

	"fargo"
	"fargo/plan"
	"fargo/record"
)

func TestParameterSelector(t *testing.T) {
	for name, want := range map[string][2]string{
		"x":              {"x", ""},
		"/a/b:3":         {"/a/b", "3"},
		"/a/b:prod":      {"/a/b", "prod"},
		"/a/b:prod:more": {"/a/b", "prod:more"},
		"arn:aws:ssm:us-east-1:123456789012:parameter/a/b":   {"arn:aws:ssm:us-east-1:123456789012:parameter/a/b", ""},
		"arn:aws:ssm:us-east-1:123456789012:parameter/a/b:3": {"arn:aws:ssm:us-east-1:123456789012:parameter/a/b", "3"},
		"arn:aws:ssm:us-east-1:123456789012:document/a":      {"arn:aws:ssm:us-east-1:123456789012:document/a", ""},
	} {
		if bare, selector := plan.ParameterSelector(name); bare != want[0] || selector != want[1] {
			t.Errorf("%s: %q and %q", name, bare, selector)
		}
	}
}

func TestParameterVersion(t *testing.T) {
	p := &record.Parameter{Name: "/a", Version: 5, Oldest: 3, Labels: map[string]int64{"prod": 4, "late": 4}}
	for selector, want := range map[string]int64{"": 5, "5": 5, "3": 3, "prod": 4, "2": 0, "6": 0, "test": 0} {
		got, err := plan.ParameterVersion(p, selector)
		if got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %d, %v", selector, got, err)
		}
	}
	if labels := plan.ParameterLabels(p, 4); strings.Join(labels, " ") != "late prod" {
		t.Errorf("the labels are %v", labels)
	}
}

// A parameter keeps its last hundred versions.
func TestDropOldestParameterVersion(t *testing.T) {
	p := &record.Parameter{Name: "/a", Version: 99, Oldest: 1}
	if drop, err := plan.DropOldestParameterVersion(p); drop != 0 || err != nil {
		t.Errorf("with 99 versions: %d, %v", drop, err)
	}
	p.Version = 100
	if drop, err := plan.DropOldestParameterVersion(p); drop != 1 || err != nil {
		t.Errorf("with 100 versions: %d, %v", drop, err)
	}
	p.Labels = map[string]int64{"prod": 1}
	if _, err := plan.DropOldestParameterVersion(p); err == nil {
		t.Error("a version with a label is dropped")
	}
}

// Source: recorded, and reference/secrets-and-events.md.
func TestKMSKeyNotFound(t *testing.T) {
	scope := fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}
	const id = "1234abcd-12ab-34cd-56ef-1234567890ab"
	for keyID, want := range map[string]string{
		"x":                                 "Invalid keyId 'x'",
		id:                                  "Key 'arn:aws:kms:us-east-1:123456789012:key/" + id + "' does not exist",
		"alias/x":                           "Alias arn:aws:kms:us-east-1:123456789012:alias/x is not found.",
		scope.ARN("kms", "alias/x"):         "Alias arn:aws:kms:us-east-1:123456789012:alias/x is not found.",
		scope.ARN("kms", "key/"+id):         "Key 'arn:aws:kms:us-east-1:123456789012:key/" + id + "' does not exist",
		"arn:aws:kms:eu-west-1:1:key/" + id: "Invalid arn eu-west-1",
		"arn:aws:ssm:us-east-1:1:key/" + id: "Invalid arn arn:aws:ssm:us-east-1:1:key/" + id,
	} {
		if err := plan.KMSKeyNotFound(scope, keyID); !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v", keyID, err)
		}
	}
}
