package routing

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"fargo/aws/elbv2"
	"fargo/balancer/http1"
	"fargo/balancer/scenariotest"
	"fargo/desired"
)

// TestRules runs scenarios: "rule PRIORITY JSON-CONDITIONS | JSON-ACTION
// [| JSON-TRANSFORMS]" adds a rule, "port N" and "tls" set the listener, "reset"
// forgets all; any other line is a request: METHOD URL [NAME:VALUE …] [from
// ADDRESS].
func TestRules(t *testing.T) {
	var rules []*Rule
	port, encrypted := uint16(80), false
	scenariotest.Run(t, "testdata/rules.txt", func(line string) string {
		verb, rest, _ := strings.Cut(line, " ")
		switch verb {
		case "reset":
			rules, port, encrypted = nil, 80, false
		case "port":
			fmt.Sscan(rest, &port)
		case "tls":
			encrypted = true
		case "rule":
			priority, rest, _ := strings.Cut(rest, " ")
			conditions, does, _ := strings.Cut(rest, " | ")
			does, transforms, _ := strings.Cut(does, " | ")
			d := desired.BalancerRule{ARN: priority, Priority: priority, Actions: make([]elbv2.Action, 1)}
			if err := json.Unmarshal([]byte(conditions), &d.Conditions); err != nil {
				t.Fatal(line, err)
			}
			if err := json.Unmarshal([]byte(does), &d.Actions[0]); err != nil {
				t.Fatal(line, err)
			}
			if transforms != "" {
				if err := json.Unmarshal([]byte(transforms), &d.Transforms); err != nil {
					t.Fatal(line, err)
				}
			}
			r, err := Compile(&d, func(group string) bool { return group == "g" }, new(atomic.Uint64))
			if r != nil {
				rules = append(rules, r)
			}
			if err != nil {
				return err.Error()
			}
		default:
			return routed(t, rules, port, line, encrypted)
		}
		return ""
	})
}

// routed is what the rules make of a request to a port.
func routed(t *testing.T, rules []*Rule, port uint16, line string, encrypted bool) string {
	words := strings.Fields(line)
	raw := words[0] + " " + words[1] + " HTTP/1.1\r\n"
	x := &Request{}
	x.TLS, x.Client = encrypted, netip.MustParseAddrPort("192.0.2.1:1234")
	host := "Host: a.example\r\n"
	for i := 2; i < len(words); i++ {
		if words[i] == "from" {
			i++
			x.Client = netip.AddrPortFrom(netip.MustParseAddr(words[i]), 1234)
		} else if strings.HasPrefix(words[i], "host:") {
			host = words[i] + "\r\n"
		} else {
			raw += words[i] + "\r\n"
		}
	}
	var h http1.Request
	if err := h.Parse(raw + host + "\r\n"); err != nil {
		t.Fatal(line, err)
	}
	x.Method, x.Authority, x.Path, x.Query, x.Fields = h.Method, h.Authority, h.Path, h.Query, h.Fields
	x.Host, x.URI = HostOf(h.Authority), h.Target
	i := slices.IndexFunc(rules, func(r *Rule) bool { return r.Match(x) })
	if i < 0 {
		return "none"
	}
	r := rules[i]
	status, ok := "", true
	if r.Action.Forward != nil {
		status, ok = r.Transform.Apply(x)
	}
	switch a := r.Action; {
	case a.Redirect != nil:
		return fmt.Sprintf("%s: %d %s", r.Priority, a.Redirect.Status, a.Redirect.Location(x, port))
	case a.Fixed != nil:
		return fmt.Sprintf("%s: %d %s %q", r.Priority, a.Fixed.Status, a.Fixed.ContentType, a.Fixed.Body)
	case !ok:
		return r.Priority + ": 500 " + status
	case a.Forward != nil && x.Rewritten != nil:
		return fmt.Sprintf("%s: forward %s to %s", r.Priority, x.TargetURI(), hostOfTarget(x))
	case a.Forward != nil:
		return r.Priority + ": forward"
	default:
		return r.Priority + ": refused " + a.Unsupported
	}
}

// hostOfTarget is the host that a target is asked for.
func hostOfTarget(x *Request) string {
	if x.Rewritten != nil {
		return x.Rewritten.Authority
	}
	return x.Authority
}

// TestWeights runs scenarios: a line of weights, answered with one round of turns.
func TestWeights(t *testing.T) {
	scenariotest.Run(t, "testdata/weights.txt", func(line string) string {
		var weights []int
		for _, w := range strings.Fields(line) {
			var n int
			fmt.Sscan(w, &n)
			weights = append(weights, n)
		}
		var out strings.Builder
		for _, i := range spread(weights) {
			out.WriteByte('a' + i)
		}
		if out.Len() == 0 {
			return "nobody"
		}
		return out.String()
	})
}
