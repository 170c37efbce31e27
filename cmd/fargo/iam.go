package main

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"fargo"
	"fargo/aws/iam"
	"fargo/aws/sigv4"
)

// iamCommand has what operators ask of IAM.
type iamCommand struct {
	Explain explainCommand `cmd:"" help:"Say whether policies allow a user, a group or a role an action, and which statement decides."`
}

// explainCommand asks IAM's policy simulator.
type explainCommand struct {
	dataDir
	Principal string            `arg:"" help:"The ARN of a user, a group, a role, or a role's session."`
	Action    string            `arg:"" help:"The action: ecs:RunTask."`
	Resources []string          `arg:"" optional:"" help:"The ARNs of what it is done to; all, if there are none. Policies of resources are not asked."`
	Context   map[string]string `help:"The value of a condition key; several with semicolons between them." placeholder:"KEY=VALUE"`
}

// Run prints a line for each resource, and below it what has decided.
func (c *explainCommand) Run(ctx context.Context, std *stdio) error {
	api, err := newClient(c.DataDir, fargo.DefaultRegion)
	if err != nil {
		return err
	}
	in := url.Values{"PolicySourceArn": {roleOf(c.Principal)}, "ActionNames.member.1": {c.Action}}
	for i, arn := range c.Resources {
		in.Set("ResourceArns.member."+strconv.Itoa(i+1), arn)
	}
	for i, key := range slices.Sorted(maps.Keys(c.Context)) {
		entry := "ContextEntries.member." + strconv.Itoa(i+1)
		in.Set(entry+".ContextKeyName", key)
		in.Set(entry+".ContextKeyType", string(iam.ContextKeyTypeEnumString))
		in.Set(entry+".ContextKeyValues.member.1", c.Context[key])
	}
	var out struct {
		Results []explanation `xml:"SimulatePrincipalPolicyResult>EvaluationResults>member"`
	}
	if err := api.query(ctx, "iam", iam.API.APIVersion, "SimulatePrincipalPolicy", in, &out); err != nil {
		return err
	}
	for _, result := range out.Results {
		if len(result.Each) == 0 {
			result.Each = []explanation{{Resource: result.Resource, Decision: result.Decision, Matched: result.Matched, Missing: result.Missing, Boundary: result.Boundary}}
		}
		for _, one := range result.Each {
			if _, err := io.WriteString(std.out, one.text(c.Action)); err != nil {
				return err
			}
		}
	}
	return nil
}

// roleOf is the role of a session; any other ARN is itself.
func roleOf(principal string) string {
	a, ok := fargo.ParseARN(principal)
	if session, found := strings.CutPrefix(a.Resource, "assumed-role/"); ok && found {
		name, _, _ := strings.Cut(session, "/")
		return fargo.Scope{Account: a.Account}.ARN("iam", "role/"+name)
	}
	return principal
}

// explanation is the simulator's answer about one resource, or, with those in it, all.
type explanation struct {
	Resource string   `xml:"EvalResourceName"`
	Decision string   `xml:"EvalDecision"`
	OnOne    string   `xml:"EvalResourceDecision"`
	Missing  []string `xml:"MissingContextValues>member"`
	Boundary string   `xml:"PermissionsBoundaryDecisionDetail>AllowedByPermissionsBoundary"`
	Matched  []struct {
		Policy string `xml:"SourcePolicyId"`
		Line   int    `xml:"StartPosition>Line"`
		Column int    `xml:"StartPosition>Column"`
	} `xml:"MatchedStatements>member"`
	Each []explanation `xml:"ResourceSpecificResults>member"`
}

func (e *explanation) text(action string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s on %s\n", e.Decision+e.OnOne, action, e.Resource)
	for _, m := range e.Matched {
		fmt.Fprintf(&b, "  by the statement at line %d, column %d of %s\n", m.Line, m.Column, m.Policy)
	}
	if len(e.Matched) == 0 {
		fmt.Fprintln(&b, "  no statement allows it")
	}
	if e.Boundary == "false" {
		fmt.Fprintln(&b, "  the permissions boundary does not allow it")
	}
	for _, key := range e.Missing {
		fmt.Fprintf(&b, "  a statement asks for %s, which has no value here: --context %s=VALUE\n", key, key)
	}
	return b.String()
}

// query calls an operation of a service with the protocol of IAM and decodes the answer
// into out.
func (c *client) query(ctx context.Context, service, version, operation string, in url.Values, out any) error {
	in.Set("Action", operation)
	in.Set("Version", version)
	body := in.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint+"/", strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sigv4.Sign(r, []byte(body), sigv4.Credentials{AccessKeyID: c.key.ID, Secret: c.key.Secret}, c.region, service, time.Now())
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		var refused struct {
			Code    string `xml:"Error>Code"`
			Message string `xml:"Error>Message"`
		}
		if err := xml.NewDecoder(resp.Body).Decode(&refused); err != nil {
			refused.Message = resp.Status
		}
		return &callError{operation: operation, code: refused.Code, message: refused.Message}
	}
	return xml.NewDecoder(resp.Body).Decode(out)
}
