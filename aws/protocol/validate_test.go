package protocol_test

import (
	"testing"

	"fargo/aws/protocol"
)

func TestRefusals(t *testing.T) {
	wrong := &everything{
		Text: new("UPPERCASE"), Color: "BLUE", Small: new(int32(101)), Texts: []string{"abcd", "efgh"},
		Colors: []color{"BLUE"}, Parts: []part{{Key: new("k")}, {}},
	}
	for _, c := range []struct {
		service, op string
		in          any
		want        string
	}{
		{"things", "", &strict{}, "ValidationException: 2 validation errors detected: Value null at 'clusterName' failed to satisfy constraint: Member must not be null; " +
			"Value null at 'tags' failed to satisfy constraint: Member must not be null"},
		{"things", "", &strict{ClusterName: new(""), Tags: []part{}}, "ValidationException: 1 validation error detected: " +
			"Value '[]' at 'tags' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"things", "", wrong, "ValidationException: 7 validation errors detected: " +
			"Value 'UPPERCASE' at 'text' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z<&>]+; " +
			"Value 'UPPERCASE' at 'text' failed to satisfy constraint: Member must have length less than or equal to 8; " +
			"Value 'BLUE' at 'color' failed to satisfy constraint: Member must satisfy enum value set: [RED, GREEN]; " +
			"Value '101' at 'small' failed to satisfy constraint: Member must have value less than or equal to 100; " +
			"Value '[abcd, efgh]' at 'texts' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 3]; " +
			"Value '[BLUE]' at 'colors' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [RED, GREEN]]; " +
			"Value null at 'parts.2.member.key' failed to satisfy constraint: Member must not be null"},
		{"logs", "", &everything{Text: new("A")}, "InvalidParameterException: 1 validation error detected: " +
			"Value 'A' at 'text' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z<&>]+"},
		// As ACM says it in terraform-provider-aws, pull request 14782.
		{"things", "", &guarded{Names: []string{"a", ""}}, "ValidationException: 1 validation error detected: " +
			"Value '[a, ]' at 'names' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 3, " +
			"Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [a-z]*]"},
		// As recorded of CloudWatch Logs' PutMetricFilter.
		{"logs", "", &guarded{Parts: []part{{Key: new("k"), Count: new(int64(1))}, {Key: new("l")}}}, "InvalidParameterException: 1 validation error detected: " +
			"Value '[part(key=k, count=1), part(key=l, count=null)]' at 'parts' failed to satisfy constraint: Member must have length less than or equal to 1"},
		// As recorded of IAM's UpdateServiceSpecificCredential.
		{"iam", "", &guarded{Password: new("-"), Kind: "BLUE"}, "ValidationError: 2 validation errors detected: " +
			"Value at 'password' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w]+; " +
			"Value at 'kind' failed to satisfy constraint: Member must satisfy enum value set"},
		{"iam", "", &everything{Named: map[color]part{"GREEN": {}}}, "ValidationError: 1 validation error detected: " +
			"Value null at 'named.GREEN.member.key' failed to satisfy constraint: Member must not be null"},
		{"ecr", "", &everything{Text: new("A")}, "InvalidParameterException: Invalid parameter at 'text' failed to satisfy constraint: 'must satisfy regular expression '[a-z<&>]+''"},
		{"ecs", "RunTask", &strict{}, "InvalidParameterException: Cluster name cannot be empty."},
		{"ecs", "RegisterTaskDefinition", &everything{Color: "BLUE"}, "ClientException: color should be one of [RED, GREEN]"},
		{"ec2", "", &strict{}, "MissingParameter: The request must contain the parameter ClusterName"},
		{"ec2", "", &everything{Small: new(int32(-1))}, "InvalidParameterValue: Value ( -1 ) for parameter Small is invalid. Expecting a value greater than or equal to 0."},
		{"things", "", &everything{Text: new("{want}")}, "ValidationException: 1 validation error detected: " +
			"Value '{want}' at 'text' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z<&>]+"},
	} {
		violations := protocol.Validate(c.in)
		if len(violations) == 0 {
			t.Errorf("%+v passes", c.in)
			continue
		}
		equal(t, (&protocol.Service{Name: c.service}).Refusal(c.op, violations).Error(), c.want)
	}
	if v := protocol.Validate(&everything{Text: new("abc"), Color: "RED", Again: &everything{}}); v != nil {
		t.Errorf("a right value is refused: %+v", v)
	}
}
