// Package apitest runs API scripts: text files of calls and the answers they
// got. It knows how to call a service's operation as the chain does, from
// decoding to validation; it refuses to know any service.
//
// A script is a list of commands, each followed by "----" and what it answered:
//
//	ecs CreateCluster {"clusterName": "production"}
//	----
//	{
//	  "Cluster": …
//
// A JSON input may go on over several lines. Run with -rewrite, the answers are
// written back, to be read as a diff. What is random is replaced by what it is:
// ids by <eni-1>, times by <time>; and so are the tokens of pages, by <token-1>.
// Such names stand for the same in later commands.
//
// RunRecorded holds a service to answers that AWS really gave, and Texts asks for the
// source of each text that a package refuses something with.
package apitest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fargo"
	"fargo/api"
	"fargo/aws/protocol"
)

var rewrite = flag.Bool("rewrite", false, "write the answers into the scripts")

// Setup is what a script is run against.
type Setup struct {
	Services []api.Mounted
	// Commands are further words a script may say, with the rest of the line.
	// What they return is compared like an answer.
	Commands map[string]func(ctx context.Context, args string) (string, error)
}

// Run runs every script in testdata, each against a setup of its own.
func Run(t *testing.T, open func(t *testing.T) Setup) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts in testdata (%v)", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) { runFile(t, f, open(t)) })
	}
}

func runFile(t *testing.T, file string, s Setup) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{Setup: s, names: map[string]string{}, seen: map[string]int{}}
	var out bytes.Buffer
	for _, block := range blocks(string(text)) {
		out.WriteString(block.head)
		if block.command != "" {
			out.WriteString(block.command + "\n----\n" + r.run(t.Context(), block.command) + "\n\n")
		}
	}
	got := strings.TrimRight(out.String(), "\n") + "\n"
	if *rewrite {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(string(text), got); d != "" {
		t.Errorf("%s (run with -rewrite to accept):\n%s", file, d)
	}
}

// block is a command with the comments before it.
type block struct{ head, command string }

// blocks splits a script. A command begins at a line that is neither blank nor a
// comment and ends at "----"; the answer ends at the next blank line.
func blocks(text string) []block {
	var out []block
	var b block
	inAnswer := false
	for line := range strings.Lines(text) {
		switch trimmed := strings.TrimRight(line, "\n"); {
		case inAnswer:
			if trimmed == "" {
				inAnswer = false
			}
		case trimmed == "----":
			b.command = strings.TrimRight(b.command, "\n")
			out = append(out, b)
			b, inAnswer = block{}, true
		case b.command == "" && (trimmed == "" || trimmed[0] == '#'):
			b.head += line
		default:
			b.command += line
		}
	}
	return append(out, block{head: b.head, command: strings.TrimRight(b.command, "\n")})
}

type runner struct {
	Setup
	names map[string]string // <eni-1> to the id it stands for, and back
	seen  map[string]int
}

func (r *runner) run(ctx context.Context, command string) string {
	word, rest, _ := strings.Cut(command, " ")
	for name, id := range r.names {
		if strings.HasPrefix(name, "<") {
			rest = strings.ReplaceAll(rest, name, id)
		}
	}
	var answer string
	var err error
	if c, ok := r.Commands[word]; ok {
		answer, err = c(ctx, rest)
	} else {
		answer, err = r.call(ctx, word, rest)
	}
	switch {
	case err != nil:
		answer = r.failure(err)
	case answer == "":
		answer = "ok"
	}
	return r.mask(strings.TrimRight(answer, "\n"))
}

func (r *runner) failure(err error) string {
	var e *protocol.Error
	if !errors.As(err, &e) {
		return "INTERNAL: " + err.Error()
	}
	status := e.Status
	if status == 0 {
		status = 400
	}
	return fmt.Sprintf("%d %s", status, e)
}

// call carries out one operation, whose output it writes as JSON.
func (r *runner) call(ctx context.Context, service, rest string) (string, error) {
	out, err := r.output(ctx, service, rest)
	if err != nil {
		return "", err
	}
	b, err := json.MarshalIndent(out, "", "  ")
	return orderByValue(string(b)), err
}

// output carries out one operation as the default account in the default region.
func (r *runner) output(ctx context.Context, service, rest string) (any, error) {
	name, input, _ := strings.Cut(rest, " ")
	for _, m := range r.Services {
		if m.Service.Name != service {
			continue
		}
		for _, op := range m.Service.Operations {
			if op.Name == name && op.Bind != nil {
				return operation(ctx, m, op, input)
			}
		}
	}
	return nil, fmt.Errorf("no operation %s %s", service, name)
}

func operation(ctx context.Context, m api.Mounted, op protocol.Operation, input string) (any, error) {
	handle, ok := op.Bind(m.Server)
	if !ok {
		return nil, fmt.Errorf("%s is not implemented", op.Name)
	}
	in := op.Input()
	if input != "" {
		d := json.NewDecoder(strings.NewReader(input))
		d.DisallowUnknownFields()
		if err := d.Decode(in); err != nil {
			return nil, fmt.Errorf("input: %w", err)
		}
	}
	if v := protocol.Validate(in); v != nil {
		return nil, m.Service.Refusal(op.Name, v)
	}
	ctx = api.WithCall(ctx, &api.Call{
		Service: m.Service.Name, Operation: op.Name, Account: fargo.DefaultAccount, Region: fargo.DefaultRegion,
		Caller: api.Caller{PrincipalARN: "arn:aws:iam::" + fargo.DefaultAccount + ":user/admin"},
	})
	if p, ok := m.Server.(api.Prechecker); ok {
		if err := p.Precheck(ctx, in); err != nil {
			return nil, err
		}
	}
	return handle(ctx, in)
}

var (
	// tokens are those of pages, which package page makes and nobody reads.
	tokens = regexp.MustCompile(`("(?:NextToken|nextToken|NextMarker|Marker)": )"([^"]*)"`)
	times  = regexp.MustCompile(`"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^"]*"`)
	random = regexp.MustCompile(`ecs:[A-Za-z0-9-]+_[0-9a-f]{32}_[0-9a-f]{32}-\d+\b|(?:arn:aws:secretsmanager:[a-z0-9-]+:\d+:secret:[A-Za-z0-9/_+=.@!-]+)-[A-Za-z0-9]{6}\b|arn:aws:elasticloadbalancing:[a-z0-9-]+:\d+:(?:loadbalancer|listener|listener-rule|targetgroup)/[A-Za-z0-9/-]+/[0-9a-f]{16}\b|\b[a-z0-9-]+-\d{9,10}\.[a-z0-9-]+\.elb\.amazonaws\.com|\b[0-9a-f]{16}\b|[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|\bvpce-[0-9a-f]{17}-[0-9a-f]{8}\b|\bZ0[0-9A-F]{19}\b|\b([a-z][a-z-]*?)-[0-9a-f]{17}\b|\b[0-9a-f]{32}(-\d{10})?\b|\b0a(:[0-9a-f]{2}){5}\b|\b172\.31\.\d+\.\d+(/\d+)?\b|\bip-172-31-\d+-\d+\b|\b240\.\d+\.\d+\.\d+(/\d+)?\b|\bec2-240-\d+-\d+-\d+\b|\bA[A-Z]{2}A[A-Z2-7]{16,17}\b|"[A-Za-z0-9+/]{40}"|"[A-Za-z0-9+/]{120}"|"[0-9a-f]{64}"|\b[1-9]\d{18}\b|\b[0-9a-f]{21}\b|\b2001:db8:(?:[0-9a-f]{1,4}:){5}[0-9a-f]{1,4}\b`)
)

// mask replaces what is random by a name for it, the same everywhere.
func (r *runner) mask(s string) string {
	s = times.ReplaceAllString(s, `"<time>"`)
	s = tokens.ReplaceAllStringFunc(s, func(member string) string {
		m := tokens.FindStringSubmatch(member)
		return m[1] + `"` + r.name("token", m[2]) + `"`
	})
	return random.ReplaceAllStringFunc(s, func(id string) string {
		if id[0] >= '0' && id[0] <= '9' && strings.Contains(id, "/") {
			return id // a range is not random
		}
		return r.name(kindOf(id), id)
	})
}

// name is what stands for an id in the script: the same everywhere.
func (r *runner) name(kind, id string) string {
	if name, ok := r.names[id]; ok {
		return name
	}
	r.seen[kind]++
	name := fmt.Sprintf("<%s-%d>", kind, r.seen[kind])
	r.names[id], r.names[name] = name, id
	return name
}

// elbKinds are the short names of load balancing's resources.
var elbKinds = map[string]string{"loadbalancer": "lb", "listener": "listener", "listener-rule": "rule", "targetgroup": "tg"}

func kindOf(id string) string {
	switch {
	case strings.HasPrefix(id, "arn:aws:secretsmanager:"):
		return "secret"
	case strings.HasPrefix(id, "ecs:"):
		return "target" // of Session Manager
	case strings.HasPrefix(id, "arn:"):
		return elbKinds[strings.Split(strings.Split(id, ":")[5], "/")[0]]
	case strings.HasSuffix(id, ".elb.amazonaws.com"):
		return "dns"
	case strings.HasPrefix(id, "vpce-") && strings.Count(id, "-") == 2:
		return "vpce-label"
	case id[0] == 'Z':
		return "zone"
	case strings.HasPrefix(id, "2001:"):
		return "ipv6"
	case strings.Contains(id, ":"):
		return "mac"
	case id[0] == '"':
		return "secret"
	case id[0] == 'A':
		return strings.ToLower(id[:4]) // of an IAM entity
	case strings.HasPrefix(id, "172."):
		return "address"
	case strings.HasPrefix(id, "240."):
		return "public"
	case strings.HasPrefix(id, "ec2-"):
		return "public-name"
	case strings.HasPrefix(id, "ip-"):
		return "hostname"
	case len(id) == 19:
		return "deployment"
	case len(id) == 21 && !strings.Contains(id, "-"):
		return "rollout"
	case len(id) == 16 && !strings.Contains(id, "-"):
		return "id"
	case len(id) == 36 && strings.Count(id, "-") == 4:
		return "uuid"
	case len(id) == 32:
		return "hex"
	case len(id) == 43:
		return "runtime"
	}
	return id[:strings.LastIndexByte(id, '-')]
}
