package balancer_test

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v2"

	"fargo/balancer"
	"fargo/balancer/http1/http1test"
	"fargo/desired"
)

var rewriteDesync = flag.Bool("rewrite-desync", false, "write what became of AWS's desync cases into testdata/desync")

// strictTarget is a target that reads requests as RFC 9112 has them and nothing
// else. It answers each with 200.
type strictTarget struct {
	address string
	mu      struct {
		sync.Mutex
		conns []net.Conn
		seen  []arrival
		wrong []string
	}
}

// arrival is a request that a target has read, and the connection it came on.
type arrival struct {
	http1test.Message
	conn int
}

func newStrictTarget(t testing.TB) *strictTarget {
	s := &strictTarget{}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = l.Addr().String()
	var serving sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		s.mu.Lock()
		for _, c := range s.mu.conns {
			c.Close()
		}
		s.mu.Unlock()
		serving.Wait()
	})
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.mu.conns = append(s.mu.conns, c)
			conn := len(s.mu.conns)
			s.mu.Unlock()
			serving.Go(func() { s.serve(c, conn) })
		}
	})
	return s
}

// serve reads requests until the connection ends. Each must be one for a strict
// reader, and nothing may be left.
func (s *strictTarget) serve(c net.Conn, conn int) {
	defer c.Close()
	var got []byte
	for {
		m, err := http1test.Read(got)
		switch {
		case err == nil:
			if m.Target != "/health" {
				s.mu.Lock()
				s.mu.seen = append(s.mu.seen, arrival{m, conn})
				s.mu.Unlock()
			}
			got = got[m.Size:]
			if len(got) > 0 {
				s.complain("the target was sent %q after %+v, unasked", got, m)
				return
			}
			told := m.Method + " " + m.Target + " " + m.Body
			length := len(told)
			if m.Method == http.MethodHead {
				told = ""
			}
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", length, told)
			continue
		case !errors.Is(err, io.ErrUnexpectedEOF):
			s.complain("the target was sent %q: %v", got, err)
			return
		}
		buffer := make([]byte, 64<<10)
		n, err := c.Read(buffer)
		if err != nil {
			return // in the middle of a request, if the client was
		}
		got = append(got, buffer[:n]...)
	}
}

func (s *strictTarget) complain(format string, parts ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.wrong = append(s.mu.wrong, fmt.Sprintf(format, parts...))
}

// take gives what has arrived, and forgets it. What arrived that is no request
// fails the test.
func (s *strictTarget) take(t testing.TB) []arrival {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, wrong := range s.mu.wrong {
		t.Error(wrong)
	}
	seen := s.mu.seen
	s.mu.seen, s.mu.wrong = nil, nil
	return seen
}

// desyncCase is one request of AWS's library.
type desyncCase struct {
	Name, URI, Method, Version string
	Headers                    []struct{ Name, Value string }
	Expected                   struct{ Tier, Reason string }
}

// raw is the request with the body that it says to have, to whoever knows names
// by the letter.
func (c *desyncCase) raw() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\r\nHost: a\r\n", c.Method, c.URI, c.Version)
	body := ""
	for _, h := range c.Headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h.Name, h.Value)
		var length int
		if strings.EqualFold(h.Name, "Transfer-Encoding") {
			body = "1\r\nx\r\n0\r\n\r\n"
		} else if n, _ := fmt.Sscan(h.Value, &length); h.Name == "Content-Length" && n == 1 && body == "" && length < 1<<20 {
			body = strings.Repeat("x", length)
		}
	}
	return b.String() + "\r\n" + body
}

// outcome is what became of a request.
type outcome struct {
	status                     int
	clientClosed, targetClosed bool
	arrived                    *arrival
}

// String is the outcome as testdata has it.
func (o *outcome) String() string {
	ends := func(closed bool) string {
		if closed {
			return "closed"
		}
		return "kept"
	}
	if o.arrived == nil {
		return fmt.Sprintf("%d, client %s, nothing reached the target", o.status, ends(o.clientClosed))
	}
	var fields []string
	for _, f := range o.arrived.Fields {
		if !strings.HasPrefix(f, "X-Amzn-Trace-Id:") && !strings.HasPrefix(f, "X-Forwarded-") && !strings.HasPrefix(f, "Host:") {
			fields = append(fields, f)
		}
	}
	return fmt.Sprintf("%d, client %s, target %s: %s %s %q %d bytes", o.status, ends(o.clientClosed), ends(o.targetClosed), o.arrived.Method, o.arrived.Target, fields, len(o.arrived.Body))
}

// TestDesyncModes sends all requests of AWS's library in all modes, each with a
// request after it, and holds what reaches the target, what the client gets and
// what is closed: to what the mode promises, and to testdata/desync.
// Source of the promises: ALB user guide, "Desync mitigation mode".
func TestDesyncModes(t *testing.T) {
	files, err := filepath.Glob("http1/testdata/desync/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	outcomes := map[string]map[string]*outcome{}
	for _, mode := range []string{"monitor", "defensive", "strictest"} {
		outcomes[mode] = runDesync(t, mode, files)
	}
	for _, file := range files {
		var told strings.Builder
		for _, c := range desyncCases(t, file) {
			fmt.Fprintf(&told, "%s: %s %s\n", c.Name, c.Expected.Tier, c.Expected.Reason)
			for _, mode := range []string{"monitor", "defensive", "strictest"} {
				fmt.Fprintf(&told, "  %-9s %v\n", mode, outcomes[mode][c.raw()])
			}
		}
		golden := filepath.Join("testdata/desync", strings.TrimSuffix(filepath.Base(file), ".yaml")+".txt")
		want, err := os.ReadFile(golden)
		switch {
		case *rewriteDesync:
			if err := os.WriteFile(golden, []byte(told.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		case err == nil && string(want) != told.String():
			t.Errorf("%s: got\n%s", golden, told.String())
		}
	}
}

func desyncCases(t *testing.T, file string) (cases []desyncCase) {
	content, err := os.ReadFile(file)
	if err == nil {
		err = yaml.Unmarshal(content, &cases)
	}
	if err != nil {
		t.Fatal(file, err)
	}
	return cases
}

// runDesync tries all cases in a mode.
func runDesync(t *testing.T, mode string, files []string) map[string]*outcome {
	target := newStrictTarget(t)
	h := newSystem(t)
	b := alb(forwardTo("arn:g"))
	b.Attributes["routing.http.desync_mitigation_mode"] = mode
	h.set([]desired.Balancer{b}, []desired.BalancerGroup{group("arn:g", target.address)})
	h.healthy(1)
	outcomes := map[string]*outcome{}
	for _, file := range files {
		for _, c := range desyncCases(t, file) {
			o := tryDesync(t, h, target, c.raw())
			if wrong := o.wrong(mode, &c); wrong != "" {
				t.Errorf("%s: %s: %s: %s: %v", mode, filepath.Base(file), c.Name, wrong, o)
			}
			outcomes[c.raw()] = o
		}
	}
	return outcomes
}

const probe = "GET /probe HTTP/1.1\r\nHost: a\r\n\r\n"

// tryDesync sends a request and another after it.
func tryDesync(t *testing.T, h *system, target *strictTarget, raw string) *outcome {
	var seen []arrival
	requests := func() float64 { return h.counted("arn:g")["RequestCount"] }
	before := requests()
	// Not before a request is done with is the target's connection kept, or closed.
	defer eventually(t, "requests are done with", func() bool { return requests() == before+float64(len(seen)) })
	c := dial(t, h.addr(80))
	defer c.Close()
	go io.WriteString(c, raw+probe)
	in := bufio.NewReader(c)
	method, _, _ := strings.Cut(raw, " ")
	r, err := http.ReadResponse(in, &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	io.Copy(io.Discard, r.Body)
	o := &outcome{status: r.StatusCode, clientClosed: r.Close}
	if _, err := in.ReadByte(); err != nil != r.Close {
		t.Errorf("%q: the answer says close %v, and then comes %v", raw, r.Close, err)
	}
	if o.clientClosed { // ask on another
		again := dial(t, h.addr(80))
		defer again.Close()
		io.WriteString(again, probe)
		if _, err := again.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	seen = target.take(t)
	if len(seen) == 0 || len(seen) > 2 || seen[len(seen)-1].Target != "/probe" || o.clientClosed && len(seen) == 2 && seen[0].Target == "/probe" {
		t.Fatalf("%q: the target saw %+v", raw, seen)
	}
	if len(seen) == 2 {
		o.arrived, o.targetClosed = &seen[0], seen[0].conn != seen[1].conn
	}
	return o
}

// wrong tells what is not as the mode promises.
func (o *outcome) wrong(mode string, c *desyncCase) string {
	routed := o.arrived != nil
	if routed {
		for _, f := range o.arrived.Fields {
			name, _, _ := strings.Cut(f, ":")
			switch plain := notAlphanumeric.ReplaceAllString(strings.ToLower(name), ""); {
			case plain == "contentlength" && name != "Content-Length", plain == "transferencoding" && name != "Transfer-Encoding":
				return "a field that looks like framing was passed on"
			}
		}
	}
	if !routed && (!o.clientClosed || o.status < 400) {
		return "it was refused, and the connection kept"
	}
	refused := mode == "strictest" && c.Expected.Tier != "Compliant" || mode == "defensive" && c.Expected.Tier == "Severe"
	switch tier := c.Expected.Tier; {
	case refused && routed:
		return "it was to be refused"
	case refused && o.status != http.StatusBadRequest:
		return "it was to be refused with 400"
	case mode == "defensive" && tier == "Ambiguous" && routed && (!o.clientClosed || !o.targetClosed):
		return "both connections were to be closed"
	case (tier == "Compliant" || tier == "Acceptable") && !refused && !routed && o.status != http.StatusNotImplemented:
		return "it was to be passed on"
	case (tier == "Compliant" || tier == "Acceptable") && routed && (o.targetClosed || o.clientClosed && strings.HasPrefix(c.Version, "HTTP/1.")):
		return "the connections were to be kept"
	}
	return ""
}

var notAlphanumeric = regexp.MustCompile("[^a-z0-9]")

// What is refused is counted and logged with its class as what is passed on is.
// Source: ALB user guide, "Access log entries", classification.
func TestDesyncIsLogged(t *testing.T) {
	dir := t.TempDir()
	h := newSystem(t, func(c *balancer.Config) { c.AccessLogs = dir })
	b := alb(forwardTo("arn:g"))
	b.Attributes["access_logs.s3.enabled"], b.Attributes["access_logs.s3.bucket"] = "true", "logs"
	h.set([]desired.Balancer{b}, []desired.BalancerGroup{group("arn:g", newStrictTarget(t).address)})
	h.healthy(1)
	cases := map[string]string{
		"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n":                                              `"Acceptable" "GetHeadZeroContentLength"`,
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer--Encoding: chunked\r\n\r\n":                                   `"Ambiguous" "SuspiciousHeader"`,
		"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n":                                                               `"Severe" "BadUri"`,
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n":                                             `"Severe" "BadContentLength"`,
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx\r\n\r\n": `"Ambiguous" "BothTeClPresent"`,
	}
	for raw := range cases {
		c := dial(t, h.addr(80))
		io.WriteString(c, raw)
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	for _, want := range cases {
		eventually(t, "the log has "+want, func() bool { return logged(t, dir, want) })
	}
	if counted := h.counted("")["DesyncMitigationMode_NonCompliant_Request_Count"]; counted != float64(len(cases)) {
		t.Errorf("%v were counted", counted)
	}
}
