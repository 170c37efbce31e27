package api_test

import (
	"strings"
	"testing"

	"fargo/api"
	"fargo/aws/sts"
)

func TestCoverage(t *testing.T) {
	var b strings.Builder
	err := api.WriteCoverage(&b, []api.Mounted{{Service: &sts.API, Server: server{}, Gaps: []api.Gap{
		{Operation: "GetCallerIdentity", Field: "z", Why: "a | b"}, {Operation: "GetCallerIdentity", Field: "a", Why: "no reason"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| [sts](#sts) | 1 | 2 | 10 |\n",
		"\nWorks: GetCallerIdentity.\n",
		"| GetCallerIdentity | `a` | no reason |\n| GetCallerIdentity | `z` | a \\| b |\n",
		"\nNot implemented: AssumeRole, ",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}
