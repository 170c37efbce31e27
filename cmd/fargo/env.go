package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"fargo"
	"fargo/instance"
)

// envCommand prints what a shell evaluates so that AWS clients find Fargo.
type envCommand struct {
	dataDir
}

// Run prints the lines.
func (c *envCommand) Run(ctx context.Context, std *stdio) error {
	inst, err := instance.Find(c.DataDir)
	if err != nil {
		return fmt.Errorf("%w; fargo up makes one", err)
	}
	endpoint, err := inst.Endpoint()
	if err != nil {
		return err
	}
	if endpoint == "" {
		return fmt.Errorf("fargo up has not been ready yet with %s", inst.Dir)
	}
	key, err := inst.AdminKey()
	if err != nil {
		return err
	}
	trust := ""
	if _, err := os.Stat(inst.TrustFile()); err == nil && strings.HasPrefix(endpoint, "https://") {
		trust = inst.TrustFile()
	}
	e := environment{
		endpoint:      endpoint,
		trust:         trust,
		key:           key,
		region:        fargo.DefaultRegion,
		dropToken:     os.Getenv("AWS_SESSION_TOKEN") != "",
		wrapOldClient: !knowsEndpointVariable(installedClient(ctx)),
	}
	return e.print(std.out)
}

// environment is what a client needs to find Fargo and to sign requests.
type environment struct {
	endpoint string
	// trust is the file of what the client must trust; "" when that is what it does anyhow.
	trust  string
	key    instance.AccessKey
	region string
	// dropToken: a session token of the shell would be sent with our key, and
	// refused.
	dropToken bool
	// wrapOldClient: the aws command is too old to read AWS_ENDPOINT_URL.
	wrapOldClient bool
}

func (e environment) print(w io.Writer) error {
	var b strings.Builder
	for _, v := range [][2]string{
		{"AWS_ENDPOINT_URL", e.endpoint},
		{"AWS_ACCESS_KEY_ID", e.key.ID},
		{"AWS_SECRET_ACCESS_KEY", e.key.Secret},
		{"AWS_REGION", e.region},
		{"AWS_DEFAULT_REGION", e.region}, // version 1 of the CLI reads only this one
		// Else a few operations are sent to names before the endpoint's
		// (stream-127.0.0.1), where nobody is.
		{"AWS_DISABLE_HOST_PREFIX_INJECTION", "true"},
	} {
		fmt.Fprintf(&b, "export %s='%s'\n", v[0], v[1])
	}
	if e.trust != "" { // a path may be anything
		fmt.Fprintf(&b, "export AWS_CA_BUNDLE='%s'\n", strings.ReplaceAll(e.trust, "'", `'\''`))
	}
	if e.dropToken {
		b.WriteString("unset AWS_SESSION_TOKEN\n")
	}
	if e.wrapOldClient {
		b.WriteString("# This aws does not read AWS_ENDPOINT_URL (2.13 and 1.29 were the first to).\n")
		b.WriteString("aws() { command aws --endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\"; }\n")
		b.WriteString("[ -z \"$BASH_VERSION\" ] || export -f aws\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// installedClient is the version of the aws command on the PATH; empty when there is
// none.
func installedClient(ctx context.Context) string {
	// Early versions answered on stderr.
	out, err := exec.CommandContext(ctx, "aws", "--version").CombinedOutput()
	if err != nil {
		return ""
	}
	return string(out)
}

var clientVersion = regexp.MustCompile(`^aws-cli/(\d+)\.(\d+)`)

// knowsEndpointVariable reports whether the client of this version string reads
// AWS_ENDPOINT_URL. An unknown client is taken to.
// Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints".
func knowsEndpointVariable(version string) bool {
	m := clientVersion.FindStringSubmatch(version)
	if m == nil {
		return true
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	switch major {
	case 1:
		return minor >= 29
	case 2:
		return minor >= 13
	}
	return major > 2
}
