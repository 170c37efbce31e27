package plan_test

import (
	"testing"

	"fargo/plan"
)

func TestEndpointServiceNames(t *testing.T) {
	for _, test := range []struct{ name, region, api string }{
		{"com.amazonaws.us-east-1.ecr.dkr", "us-east-1", "ecr"},
		{"com.amazonaws.eu-west-1.s3", "eu-west-1", ""},
		{"com.amazonaws.iam", "us-east-1", "iam"},
	} {
		s := plan.EndpointServiceNamed(test.name, test.region)
		if s == nil || s.API != test.api {
			t.Errorf("%s in %s: %v", test.name, test.region, s)
		}
	}
	for _, test := range []struct{ name, region string }{
		{"com.amazonaws.us-east-1.logs", "us-east-2"}, // another region's
		{"com.amazonaws.iam", "eu-west-1"},
		{"com.amazonaws.us-east-1.acm", "us-east-1"}, // which AWS has no endpoint for
		{"com.amazonaws.us-east-1.", "us-east-1"},
	} {
		if s := plan.EndpointServiceNamed(test.name, test.region); s != nil {
			t.Errorf("%s in %s: %v", test.name, test.region, s)
		}
	}
}
