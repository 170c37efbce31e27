package balancer

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fargo/aws/elbv2"
	"fargo/balancer/http1"
	"fargo/desired"
)

var rewrite = flag.Bool("rewrite", false, "write what the scenarios in testdata answer")

// TestScenarios runs the scripts in testdata: a line without indent is a
// command, the indented lines after it are its answer. Each file has its own
// commands, by the first word of its name.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			run := map[string]func(*testing.T) func(string) string{
				"rules": rulesScenario, "health": healthScenario, "fields": fieldsScenario, "weights": weightsScenario,
			}[strings.TrimSuffix(filepath.Base(file), ".txt")](t)
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for line := range strings.Lines(string(content)) {
				line = strings.TrimRight(line, "\n")
				if strings.HasPrefix(line, "  ") {
					continue
				}
				fmt.Fprintln(&got, line)
				if line == "" || strings.HasPrefix(line, "#") {
					continue
				}
				for answer := range strings.Lines(run(line)) {
					fmt.Fprintf(&got, "  %s\n", strings.TrimRight(answer, "\n"))
				}
			}
			if *rewrite {
				if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got.String() != string(content) {
				t.Errorf("got\n%s", got.String())
			}
		})
	}
}

// rulesScenario: "rule PRIORITY JSON-CONDITIONS | JSON-ACTION [| JSON-TRANSFORMS]"
// adds a rule, "port N" and "tls" set the listener, "reset" forgets all; any
// other line is a request: METHOD URL [NAME:VALUE …] [from ADDRESS].
func rulesScenario(t *testing.T) func(string) string {
	l := &listener{port: 80}
	encrypted := false
	return func(line string) string {
		verb, rest, _ := strings.Cut(line, " ")
		switch verb {
		case "reset":
			l.rules, l.port, encrypted = nil, 80, false
		case "port":
			fmt.Sscan(rest, &l.port)
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
			r, err := compileRule(&d, map[string]*view{"g": newView(newGroup("g"))}, new(atomic.Uint64))
			if r != nil {
				l.rules = append(l.rules, r)
			}
			if err != nil {
				return err.Error()
			}
		default:
			return routed(t, l, line, encrypted)
		}
		return ""
	}
}

func routed(t *testing.T, l *listener, line string, encrypted bool) string {
	words := strings.Fields(line)
	raw := words[0] + " " + words[1] + " HTTP/1.1\r\n"
	x := &exchange{}
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
	x.Host, x.uri = hostOf(h.Authority), h.Target
	r := l.route(x)
	if r == nil {
		return "none"
	}
	switch a := r.action; {
	case a.redirect != nil:
		return fmt.Sprintf("%s: %d %s", r.priority, a.redirect.status, a.redirect.location(&x.request, l.port))
	case a.fixed != nil:
		return fmt.Sprintf("%s: %d %s %q", r.priority, a.fixed.status, a.fixed.contentType, a.fixed.body)
	case a.forward != nil && !r.transform.apply(x):
		return r.priority + ": 500 " + x.reason
	case a.forward != nil && x.rewritten != nil:
		return fmt.Sprintf("%s: forward %s to %s", r.priority, x.target(), targetHost(&x.request, &settings{}, l.port))
	case a.forward != nil:
		return r.priority + ": forward"
	default:
		return r.priority + ": refused " + a.refused
	}
}

// healthScenario: "target HEALTHY UNHEALTHY [DRAIN]" begins a target with these
// thresholds, the last in seconds; "drained" ends its draining, "pass", "timeout", "fail" and "code N" are checks; "codes MATCHER
// N…" tells which codes match.
func healthScenario(*testing.T) func(string) string {
	var h health
	var limits thresholds
	return func(line string) string {
		var n int
		switch {
		case strings.HasPrefix(line, "target"):
			limits = thresholds{}
			fmt.Sscanf(line, "target %d %d %d", &limits.healthy, &limits.unhealthy, &limits.drain)
			h = health{}
			return ""
		case line == "drained":
			h = h.drained()
		case strings.HasPrefix(line, "codes"):
			words := strings.Fields(line)
			c, err := parseCodes(words[1])
			if err != nil {
				return err.Error()
			}
			answer := ""
			for _, w := range words[2:] {
				fmt.Sscan(w, &n)
				answer += fmt.Sprintf("%d:%v ", n, c.match(n))
			}
			return strings.TrimSpace(answer)
		case line == "pass":
			h = h.after(passed, limits)
		case line == "timeout":
			h = h.after(timedOut, limits)
		case line == "fail":
			h = h.after(failed, limits)
		default:
			fmt.Sscanf(line, "code %d", &n)
			h = h.after(mismatched(n), limits)
		}
		return strings.TrimSpace(fmt.Sprintf("%s %s %s", h.state, h.reason, h.description))
	}
}

// fieldsScenario: "set KEY VALUE" sets an attribute, "port N" the listener's
// port, "reset" forgets both; any other line is fields of a request, "NAME:
// VALUE; …", and the answer those the target gets.
func fieldsScenario(t *testing.T) func(string) string {
	a, port := attributes{}, uint16(80)
	return func(line string) string {
		words := strings.Fields(line)
		switch words[0] {
		case "reset":
			a, port = attributes{}, 80
			return ""
		case "set":
			a[words[1]] = words[2]
			return ""
		case "port":
			fmt.Sscan(words[1], &port)
			return ""
		}
		var h http1.Request
		if err := h.Parse("GET / HTTP/1.1\r\n" + strings.ReplaceAll(line, "; ", "\r\n") + "\r\n\r\n"); err != nil {
			t.Fatal(line, err)
		}
		q := &request{Authority: h.Authority, Fields: h.Fields}
		s := readSettings(a, nil)
		received, _ := http1.Find(h.Fields, http1.TraceID)
		trace := traceID(received, time.Unix(0x5759e988, 0), [12]byte{0xbd, 0x86, 0x2e, 0x3f, 0xe1, 0xbe, 0x46, 0xa9, 0x94, 0x27, 0x27, 0x93})
		var out strings.Builder
		for _, f := range requestFields(nil, q, &s, port, &origin{address: "192.0.2.1", port: "1234"}, trace) {
			fmt.Fprintf(&out, "%s: %s\n", f.Name, f.Value)
		}
		return out.String()
	}
}

// weightsScenario: a line of weights, answered with one round of turns.
func weightsScenario(*testing.T) func(string) string {
	return func(line string) string {
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
	}
}
