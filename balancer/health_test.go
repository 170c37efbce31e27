package balancer_test

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync/atomic"
	"testing"

	"fargo/aws/elbv2"
	"fargo/balancer"
	"fargo/desired"
)

// TestHealthReports follows a target through all that can be said of it, at a
// quick pace.
func TestHealthReports(t *testing.T) {
	h := newSystem(t, func(c *balancer.Config) { c.Pace = 3000 })
	var code atomic.Int64
	code.Store(503)
	agents := make(chan string, 1)
	checked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case agents <- r.Method + " " + r.URL.String() + " " + r.UserAgent() + " " + r.Host:
		default:
		}
		w.WriteHeader(int(code.Load()))
	}))
	t.Cleanup(checked.Close)
	a := checked.Listener.Addr().String()
	g := group("arn:g", a)
	g.Group.Matcher = &elbv2.Matcher{HttpCode: new("200-204")}
	g.Group.HealthyThresholdCount, g.Group.UnhealthyThresholdCount = new(int32(3)), new(int32(2))
	h.set([]desired.Balancer{alb(forwardTo("arn:g"))}, []desired.BalancerGroup{g})
	is := func(state, reason, description string) {
		t.Helper()
		h.until(1, func(r desired.TargetReport) bool {
			return r.Group == "arn:g" && r.State == state && r.Reason == reason && r.Description == description && r.RegisteredAt.Equal(g.Targets[0].RegisteredAt)
		})
	}
	is("unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]")
	if got, want := <-agents, "GET /health ELB-HealthChecker/2.0 "+a; got != want {
		t.Errorf("check: %q, want %q", got, want)
	}
	code.Store(204)
	is("healthy", "", "")
	code.Store(404)
	is("unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [404]")
	if c := h.counted("arn:g"); c["UnHealthyHostCount"] != 1 || c["HealthyHostCount"] != 0 || c["UnhealthyStateRouting"] != 1 || c["UnhealthyStateDNS"] != 1 {
		t.Errorf("%v", c)
	}
	g.Group.HealthCheckEnabled = new(false)
	h.set([]desired.Balancer{alb(forwardTo("arn:g"))}, []desired.BalancerGroup{g})
	is("unavailable", "Target.HealthCheckDisabled", "Health checks are disabled")
	// a group that nothing names is not checked
	h.set([]desired.Balancer{alb(forwardTo("arn:other"))}, []desired.BalancerGroup{g, group("arn:other")})
	h.until(0, func(desired.TargetReport) bool { return true })
}

// TestAccessLog reads the lines of a plain request, of an odd one and of one
// that found no target.
func TestAccessLog(t *testing.T) {
	dir := t.TempDir()
	h := newSystem(t, func(c *balancer.Config) { c.AccessLogs = dir })
	a := backend(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, "hello")
	})
	b := alb(forwardTo("arn:g"))
	b.ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/test/50dc6c495c0c9188"
	b.Attributes = map[string]string{"access_logs.s3.enabled": "true", "access_logs.s3.bucket": "../logs", "access_logs.s3.prefix": "p"}
	h.set([]desired.Balancer{b}, []desired.BalancerGroup{group("arn:g", a)})
	h.healthy(1)
	c := dial(t, h.addr(80))
	in := bufio.NewReader(c)
	for _, request := range []string{
		"POST /a?b=c HTTP/1.1\r\nHost: a.example\r\nUser-Agent: say \"hi\"\r\nContent-Length: 3\r\n\r\nabc",
		"TRACE / HTTP/1.1\r\nHost: a.example\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n",
	} {
		io.WriteString(c, request)
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, r.Body)
	}
	c.Close()
	lines := logLines(t, dir, "logs/p", "123456789012_elasticloadbalancing_eu-west-1_app.test.50dc6c495c0c9188_*Z_192.0.2.1_????????.log", 3)
	const stamp = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z`
	target := regexp.QuoteMeta(a)
	for i, want := range []string{
		`http ` + stamp + ` app/test/1 127\.0\.0\.1:\d+ ` + target + ` \d\.\d{3} \d\.\d{3} \d\.\d{3} 200 200 \d+ \d+ "POST http://a\.example:80/a\?b=c HTTP/1\.1" "say \\x22hi\\x22" - - arn:g "Root=1-[0-9a-f]{8}-[0-9a-f]{24}" "-" "-" 0 ` + stamp + ` "forward" "-" "-" "` + target + `" "200" "-" "-" `,
		`http ` + stamp + ` app/test/1 127\.0\.0\.1:\d+ - -1 -1 -1 405 - \d+ \d+ "TRACE http://a\.example:80/ HTTP/1\.1" "-" - - - "-" "-" "-" -1 ` + stamp + ` "-" "-" "-" "-" "-" "-" "-" `,
		`http .* "forward" "-" "-" "` + target + `" "200" "Acceptable" "GetHeadZeroContentLength" `,
	} {
		if !regexp.MustCompile("^" + want + `TID_[0-9a-f]{32} "-" "-" "-"$`).MatchString(lines[i]) {
			t.Errorf("line %d: %s", i, lines[i])
		}
	}
	// what else was counted meanwhile
	if c := h.counted(""); c["HTTPCode_ELB_4XX_Count"] != 1 || c["DesyncMitigationMode_NonCompliant_Request_Count"] != 1 || c["ProcessedBytes"] == 0 {
		t.Errorf("%v", c)
	}
	if c := h.counted("arn:g"); c["RequestCount"] != 2 || c["HTTPCode_Target_2XX_Count"] != 2 || c["HealthyHostCount"] != 1 || c["HealthyStateRouting"] != 1 || c["RequestCountPerTarget"] != 2 {
		t.Errorf("%v", c)
	}
}
