package balancer_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fargo/aws/elbv2"
	"fargo/balancer"
	"fargo/desired"
)

// silentAddress is a network in which nobody answers at one address.
type silentAddress struct {
	balancer.Network
	address string
}

func (d silentAddress) Dial(ctx context.Context, interfaceID, network, address string) (net.Conn, error) {
	if address == d.address {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return d.Network.Dial(ctx, interfaceID, network, address)
}

// TestHealthCheckLog reads the lines of checks that pass and of those that fail
// in each way there is; and finds them elsewhere when the attributes change, and
// nowhere when they are off.
func TestHealthCheckLog(t *testing.T) {
	dir, nobody := t.TempDir(), "127.0.0.1:9"
	h := newSystem(t, func(c *balancer.Config) { c.AccessLogs, c.Network = dir, silentAddress{c.Network, nobody} })
	closed := httptest.NewServer(nil)
	closed.Close()
	answering := func(status int) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) }))
		t.Cleanup(s.Close)
		return s.Listener.Addr().String()
	}
	calling := func(status string) string {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if status != "" {
				w.Header().Set("Grpc-Status", status)
			}
		}))
		s.Config.Protocols = new(http.Protocols)
		s.Config.Protocols.SetUnencryptedHTTP2(true)
		s.Start()
		t.Cleanup(s.Close)
		return s.Listener.Addr().String()
	}
	encrypted := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(encrypted.Close)

	var groups []desired.BalancerGroup
	want := map[string]string{} // lines by their targets
	check := func(protocol, version, target, kind, result string) {
		g := group("arn:"+target, target)
		g.Group.HealthCheckTimeoutSeconds = new(int32(1))
		g.Group.TargetGroupName, g.Group.ProtocolVersion, g.Group.HealthCheckProtocol = new("checked"), &version, elbv2.ProtocolEnum(protocol)
		groups = append(groups, g)
		want[target] = kind + ` \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \d\.\d{9} ` + regexp.QuoteMeta(target) + ` checked ` + result
	}
	check("HTTP", "HTTP1", answering(200), "http", "PASS 200 -")
	check("HTTP", "HTTP1", answering(404), "http", "FAIL 404 ResponseCodeMismatch")
	check("HTTP", "HTTP1", answering(503), "http", "FAIL 503 TargetError")
	check("HTTP", "HTTP1", closed.Listener.Addr().String(), "http", "FAIL - ConnectionReset")
	check("HTTP", "HTTP1", target(t, func(c net.Conn) { c.Read(make([]byte, 1000)) }), "http", "FAIL - ConnectionReset")
	check("HTTP", "HTTP1", target(t, func(c net.Conn) { io.WriteString(c, "what?\r\n\r\n") }), "http", "FAIL - TargetError")
	check("HTTP", "HTTP1", silent(t), "http", "FAIL - RequestTimedOut")
	check("HTTP", "HTTP1", nobody, "http", "FAIL - ConnectionTimedOut")
	check("HTTPS", "HTTP1", encrypted.Listener.Addr().String(), "https", "PASS 200 -")
	check("HTTP", "HTTP2", calling(""), "h2", "PASS 200 -")
	check("HTTP", "GRPC", calling("12"), "grpc", "PASS 12 -")
	check("HTTP", "GRPC", calling("0"), "grpc", "FAIL 0 GRPCUnexpectedStatus")
	check("HTTP", "GRPC", calling(""), "grpc", "FAIL - GRPCStatusHeaderEmpty")

	b := alb()
	b.ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/test/50dc6c495c0c9188"
	for i := range groups {
		b.Listeners[0].Rules = append(b.Listeners[0].Rules, forwardTo(groups[i].ARN))
	}
	set := func(enabled, bucket string) {
		t.Helper()
		b.Attributes = map[string]string{"health_check_logs.s3.enabled": enabled, "health_check_logs.s3.bucket": bucket}
		h.set([]desired.Balancer{b}, groups)
	}
	const file = "health_check_log_123456789012_elasticloadbalancing_eu-west-1_app.test.50dc6c495c0c9188_????????T????Z_192.0.2.1_????????.log"
	set("true", "first")
	read := func(bucket string) {
		t.Helper()
		seen := map[string]bool{} // targets; those that fail are checked again soon
		eventually(t, "all checks are in "+bucket, func() bool {
			for _, line := range readLog(dir, bucket, file) {
				target := strings.Fields(line + " - - - -")[3]
				if want[target] == "" || !regexp.MustCompile("^"+want[target]+"$").MatchString(line) {
					t.Fatalf("line %s, want %s", line, want[target])
				}
				seen[target] = true
			}
			return len(seen) == len(want)
		})
	}
	read("first")

	set("false", "first")
	before := readLog(dir, "first", file)
	set("true", "second")
	read("second")
	if after := readLog(dir, "first", file); !slices.Equal(after, before) {
		t.Errorf("the log that is off has %d lines, and had %d", len(after), len(before))
	}
}
