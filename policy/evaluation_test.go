package policy_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fargo/policy"
)

var rewrite = flag.Bool("rewrite", false, "write the decisions into testdata/evaluation")

// TestEvaluation runs the cases of IAM's documentation: each file names the pages that its
// cases are taken from. A case begins with "case" and its name. These lines say what is
// asked, each policy as a statement or a list of statements (p1, p2, … of its kind):
//
//	caller ARN|SERVICE            the user dev, if it is not said
//	identity|boundary|session|endpoint|resource STATEMENTS|DOCUMENT
//	nothing KIND                  a set of policies of a kind that has none
//	level STATEMENTS              service control policies of a further level
//	owner ACCOUNT                 of resources whose ARNs name none
//	trust                         the resource's policies must allow
//	condition CONDITIONS          an identity policy that allows everything under them
//
// "ask ACTION RESOURCE [KEY=VALUE,VALUE …]" asks, and the line after it is the decision;
// "holds [KEY=VALUE,VALUE …]" is followed by whether the condition holds.
func TestEvaluation(t *testing.T) {
	files, err := filepath.Glob("testdata/evaluation/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases (%v)", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), "Source: ") {
				t.Error("the cases name no source")
			}
			got := evaluated(t, string(text))
			if *rewrite {
				if err := os.WriteFile(f, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(string(text), got); d != "" {
				t.Errorf("%s (run with -rewrite to accept):\n%s", f, d)
			}
		})
	}
}

// evaluated gives a file with the decisions that are made now.
func evaluated(t *testing.T, text string) string {
	t.Helper()
	var out strings.Builder
	asked := newAsked()
	for line := range strings.Lines(text) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "=":
			continue
		case "case":
			asked = newAsked()
		case "":
		default:
			if !strings.HasPrefix(word, "#") {
				asked.set(t, word, rest)
			}
		}
		out.WriteString(line)
		switch word {
		case "ask":
			out.WriteString("= " + asked.decide(t, rest) + "\n")
		case "holds":
			allowed := strings.HasPrefix(asked.decide(t, "any:Action * "+rest), "allowed")
			fmt.Fprintf(&out, "= %v\n", allowed)
		}
	}
	return out.String()
}

// question is who asks and under which policies.
type question struct {
	who      string
	trust    bool
	owner    string
	levels   []*policy.Set
	policies map[string][]policy.Policy
}

func newAsked() *question { return &question{who: user, policies: map[string][]policy.Policy{}} }

func (q *question) set(t *testing.T, word, rest string) {
	t.Helper()
	switch word {
	case "ask", "holds":
	case "caller":
		q.who = rest
	case "trust":
		q.trust = true
	case "owner":
		q.owner = rest
	case "level":
		q.add(t, "level", rest)
		q.levels = append(q.levels, policy.NewSet(q.policies["level"][len(q.levels)]))
	case "nothing":
		q.policies[rest] = []policy.Policy{}
	case "condition":
		q.policies["identity"] = nil
		q.add(t, "identity", `{"Effect":"Allow","Action":"*","Resource":"*","Condition":`+rest+`}`)
	case "identity", "boundary", "session", "endpoint", "resource":
		q.add(t, word, rest)
	default:
		t.Fatalf("what is %q?", word)
	}
}

func (q *question) add(t *testing.T, kind, statements string) {
	t.Helper()
	name := fmt.Sprintf("p%d", len(q.policies[kind])+1)
	if strings.HasPrefix(statements, "{") {
		statements = "[" + statements + "]"
	}
	document := `{"Version":"2012-10-17","Statement":` + statements + `}`
	if whole := strings.Trim(statements, "[]"); strings.HasPrefix(whole, `{"Version"`) || strings.HasPrefix(whole, `{"Statement"`) {
		document = whole // of another version of the language
	}
	q.policies[kind] = append(q.policies[kind], policy.Policy{Name: name, Document: parse(t, document)})
}

// sets gives the policies of a kind; nil if there are none of it.
func (q *question) sets(kind string) *policy.Set {
	if q.policies[kind] == nil {
		return nil
	}
	return policy.NewSet(q.policies[kind]...)
}

func (q *question) decide(t *testing.T, asked string) string {
	t.Helper()
	words := strings.Fields(asked)
	if len(words) < 2 {
		t.Fatalf("an action and a resource, not %q", asked)
	}
	known := policy.Values{}
	for _, w := range words[2:] {
		key, values, _ := strings.Cut(w, "=")
		known[strings.ToLower(key)] = []string{}
		for v := range strings.SplitSeq(values, ",") {
			known[strings.ToLower(key)] = append(known[strings.ToLower(key)], v)
		}
	}
	c := caller(q.who)
	c.Identity, c.Boundary, c.Session = q.sets("identity"), q.sets("boundary"), q.sets("session")
	c.Endpoint, c.Organization = q.sets("endpoint"), q.levels
	on := policy.Resource{ARN: words[1], Account: q.owner, Policies: q.sets("resource"), Trust: q.trust}
	d := policy.Decide(c, words[0], []policy.Resource{on}, known)
	if d.Resource != on.ARN {
		t.Fatalf("the decision is about %s", d.Resource)
	}
	return d.String()
}

// caller is who a principal is; "root" is the account's.
func caller(who string) *policy.Caller {
	c := &policy.Caller{Principal: policy.Principal{Account: "123456789012", ARNs: []string{who}}}
	switch {
	case strings.HasPrefix(who, "arn:aws:sts::123456789012:assumed-role/web/"):
		c.Role = webRole
	case who == "root":
		c.Root, c.ARNs = true, []string{"arn:aws:iam::123456789012:root"}
	case strings.HasSuffix(who, ".amazonaws.com"):
		c.Principal = policy.Principal{Service: who}
	}
	return c
}
