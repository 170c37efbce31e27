package arn_test

import (
	"errors"
	"testing"

	"fargo"
	"fargo/api/arn"
)

var (
	errNotOne    = errors.New("not one")
	errElsewhere = errors.New("elsewhere")
	here         = fargo.Scope{Account: "123456789012", Region: "us-east-1"}
)

var services = arn.Kind{
	Service: "ecs", Prefix: "service/",
	NotOne:    func(string) error { return errNotOne },
	Elsewhere: func(fargo.ARN, fargo.Scope) error { return errElsewhere },
}

func TestName(t *testing.T) {
	anywhere := services
	anywhere.Elsewhere = nil
	for _, c := range []struct {
		kind        *arn.Kind
		given, name string
		err         error
	}{
		{&services, "web", "web", nil},
		{&services, "production/web", "production/web", nil},
		{&services, "arn:aws:ecs:us-east-1:123456789012:service/production/web", "production/web", nil},
		{&services, "arn:aws:ecs:us-east-1:123456789012:service/web", "web", nil},
		{&services, "arn:aws:ecs:us-east-1:123456789012:service/", "", errNotOne},
		{&services, "arn:aws:ecs:us-east-1:123456789012:task/web", "", errNotOne},
		{&services, "arn:aws:ecr:us-east-1:123456789012:service/web", "", errNotOne},
		{&services, "arn:aws-cn:ecs:us-east-1:123456789012:service/web", "", errNotOne},
		{&services, "arn:aws:ecs", "", errNotOne},
		{&services, "arn:", "", errNotOne},
		{&services, "arn:aws:ecs:eu-west-1:123456789012:service/web", "", errElsewhere},
		{&services, "arn:aws:ecs:us-east-1:210987654321:service/web", "", errElsewhere},
		{&anywhere, "arn:aws:ecs:eu-west-1:210987654321:service/web", "web", nil},
	} {
		name, err := c.kind.Name(here, c.given)
		if name != c.name || !errors.Is(err, c.err) {
			t.Errorf("%s: %q, %v, want %q, %v", c.given, name, err, c.name, c.err)
		}
	}
}

// FuzzParse looks for an ARN of a kind that, made again of its parts, is another.
func FuzzParse(f *testing.F) {
	f.Add("arn:aws:ecs:us-east-1:123456789012:service/production/web")
	f.Add("arn:aws:ecs:us-east-1:123456789012:service/a:b")
	f.Fuzz(func(t *testing.T, given string) {
		_, name, err := services.Parse(here, given)
		if err == nil && here.ARN("ecs", "service/"+name) != given {
			t.Errorf("%q is taken for %q", given, here.ARN("ecs", "service/"+name))
		}
	})
}
