package main

import (
	"os/exec"
	"strings"
	"testing"

	"fargo/instance"
)

func TestKnowsEndpointVariable(t *testing.T) {
	for version, want := range map[string]bool{
		"aws-cli/1.27.164 Python/3.11.2 Linux/6.1.0 botocore/1.29.164":         false,
		"aws-cli/1.45.11 Python/3.11.7 Linux/6.18.44 botocore/1.43.11":         true,
		"aws-cli/2.9.19 Python/3.11.2 Linux/6.1.0 source/x86_64.debian.12":     false,
		"aws-cli/2.13.0 Python/3.11.4 Linux/6.1.0 exe/x86_64.ubuntu.22 prompt": true,
		"aws-cli/3.0.0": true,
		"":              true,
	} {
		if got := knowsEndpointVariable(version); got != want {
			t.Errorf("%q: %v, want %v", version, got, want)
		}
	}
}

// What is printed is for a shell to evaluate: dash and bash must both be able
// to, and an old client must be called with the endpoint.
func TestEnvironmentIsEvaluatedByShells(t *testing.T) {
	var script strings.Builder
	e := environment{
		endpoint:      "https://127.0.0.1:4566",
		trust:         "/data's/$(reboot)/trust.pem",
		key:           instance.AccessKey{ID: "AKIAEXAMPLE", Secret: "a/b+c"},
		region:        "us-east-1",
		dropToken:     true,
		wrapOldClient: true,
	}
	if err := e.print(&script); err != nil {
		t.Fatal(err)
	}
	script.WriteString(`
command() { shift; echo "$@"; }
aws sts get-caller-identity
echo "$AWS_ACCESS_KEY_ID $AWS_SECRET_ACCESS_KEY $AWS_REGION $AWS_DEFAULT_REGION ${AWS_SESSION_TOKEN-none}"
echo "$AWS_CA_BUNDLE"
`)
	const want = "--endpoint-url https://127.0.0.1:4566 sts get-caller-identity\n" +
		"AKIAEXAMPLE a/b+c us-east-1 us-east-1 none\n" +
		"/data's/$(reboot)/trust.pem\n"
	for _, shell := range []string{"sh", "bash"} {
		path, err := exec.LookPath(shell)
		if err != nil {
			continue // not every machine has every shell
		}
		cmd := exec.Command(path)
		cmd.Env = []string{"AWS_SESSION_TOKEN=stale"}
		cmd.Stdin = strings.NewReader(script.String())
		out, err := cmd.CombinedOutput()
		if err != nil || string(out) != want {
			t.Errorf("%s: %v\n%s", shell, err, out)
		}
	}
}
