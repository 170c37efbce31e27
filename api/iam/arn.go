package iam

import (
	"strings"

	"fargo"
	"fargo/aws/iam"
	"fargo/aws/protocol"
)

// checkPolicyARN refuses what cannot be the ARN of a policy, whether or not there is
// such a policy.
// Source: recorded (no ARN at all); pulumi/pulumi-aws-apigateway#347 (the partition);
// hashicorp/terraform-provider-aws#1337 (ARNs of other things).
func checkPolicyARN(arn string) error {
	a, ok := fargo.ParseARN(arn)
	switch {
	case !ok:
		return protocol.Errorf("ValidationError", "Invalid ARN:  Could not be parsed!")
	case a.Partition != "aws":
		return protocol.Errorf("ValidationError", "Invalid ARN partition")
	case a.Service != "iam", a.Region != "", !strings.HasPrefix(a.Resource, "policy/"):
		return iam.InvalidInputException("ARN %s is not valid.", arn)
	}
	return nil
}

// policyPath is the path of a policy, which its ARN has: "/service-role/".
func policyPath(arn string) string {
	a, _ := fargo.ParseARN(arn)
	return strings.TrimSuffix(strings.TrimPrefix(a.Resource, "policy"), a.Name())
}
