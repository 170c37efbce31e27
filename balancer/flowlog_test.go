package balancer_test

import (
	"crypto/tls"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"

	"fargo/balancer"
	"fargo/desired"
)

// TestFlowLog reads the lines of connections to a TLS listener: of one that
// spoke, of those whose clients sent an alert, in the handshake and after it, of
// one that found no version of TLS, and of one that did not say hello.
func TestFlowLog(t *testing.T) {
	dir := t.TempDir()
	h := newSystem(t, func(c *balancer.Config) { c.AccessLogs = dir })
	a := target(t, func(c net.Conn) {
		io.ReadFull(c, make([]byte, 6))
		io.WriteString(c, "good day\n")
	})
	b := nlb("TLS", "arn:g")
	b.ARN, b.Name = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/test/50dc6c495c0c9188", "net/test/50dc6c495c0c9188"
	b.Attributes = map[string]string{"access_logs.s3.enabled": "true", "access_logs.s3.bucket": "flows"}
	b.Listeners[0].ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/net/test/50dc6c495c0c9188/f2f7dc8efc522ab2"
	b.Listeners[0].Certificates = []desired.Certificate{keyPair(t, "a.example"), keyPair(t, "b.example")}
	b.Listeners[0].ALPN = []string{"HTTP2Preferred"}
	b.Listeners[0].SSLPolicy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
	plain := b.Listeners[0]
	plain.ARN, plain.Protocol, plain.Port = "arn:plain", "TCP", 91
	b.Listeners = append(b.Listeners, plain)
	h.set([]desired.Balancer{b}, []desired.BalancerGroup{flowGroup("TCP", a)})
	h.healthy(1)
	const file = "123456789012_elasticloadbalancing_eu-west-1_net.test.50dc6c495c0c9188_????????T????Z_????????.log"
	const stamp = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d`
	written := 0
	next := func(client net.Conn, want string) {
		t.Helper()
		written++
		line := logLines(t, dir, "flows", file, written)[written-1]
		want = `tls 2\.0 ` + stamp + ` net/test/50dc6c495c0c9188 f2f7dc8efc522ab2 ` + regexp.QuoteMeta(client.LocalAddr().String()) + ` ` +
			regexp.QuoteMeta(client.RemoteAddr().String()) + ` ` + want + ` ` + stamp
		if !regexp.MustCompile("^" + want + "$").MatchString(line) {
			t.Errorf("line %s, want %s", line, want)
		}
	}
	greet := func(c net.Conn) {
		t.Helper()
		io.WriteString(c, "hello\n")
		if answer, err := io.ReadAll(c); string(answer) != "good day\n" || err != nil {
			t.Errorf("answer: %q %v", answer, err)
		}
		c.Close()
	}
	greet(dial(t, h.addr(91))) // of which there is no line

	c := tls.Client(dial(t, h.addr(90)), &tls.Config{InsecureSkipVerify: true, ServerName: "b.example", NextProtos: []string{"http/1.1", "h2", `a"b`}})
	greet(c)
	next(c, `\d+ \d+ 6 9 - arn:cert:b\.example - TLS_AES_128_GCM_SHA256 tlsv13 - b\.example h2 - "http/1\.1","h2","a%22b"`)

	older := &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384}}
	c = tls.Client(dial(t, h.addr(90)), older)
	greet(c)
	next(c, `\d+ \d+ 6 9 - arn:cert:a\.example - ECDHE-ECDSA-AES256-GCM-SHA384 tlsv12 - - - - -`)

	doubtful := tls.Client(dial(t, h.addr(90)), &tls.Config{ServerName: "a.example"})
	if err := doubtful.Handshake(); err == nil {
		t.Error("a certificate of nobody's was believed")
	}
	doubtful.Close()
	next(doubtful, `\d+ - 0 0 42 arn:cert:a\.example - - - - a\.example - - -`)

	ancient := tls.Client(dial(t, h.addr(90)), &tls.Config{InsecureSkipVerify: true, ServerName: "a.example", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	if err := ancient.Handshake(); err == nil {
		t.Error("TLS 1.1 was accepted")
	}
	next(ancient, `\d+ - 0 0 - arn:cert:a\.example - - - - a\.example - - -`)

	corrupting := &corruptingConn{Conn: dial(t, h.addr(90))}
	c = tls.Client(corrupting, &tls.Config{InsecureSkipVerify: true})
	io.WriteString(c, "hello\n")
	corrupting.on = true
	if _, err := io.ReadAll(c); err == nil {
		t.Error("what was changed on its way was believed")
	}
	next(c, `\d+ \d+ 6 9 20 arn:cert:a\.example - TLS_AES_128_GCM_SHA256 tlsv13 - - - - -`)

	mute := dial(t, h.addr(90))
	mute.Close()
	next(mute, `\d+ - 0 0 - - - - - - - - - -`)
}

// corruptingConn is a connection that changes what is read while it is on.
type corruptingConn struct {
	net.Conn
	on bool
}

func (c *corruptingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.on && n > 0 {
		b[n-1] ^= 1
	}
	return n, err
}

// A connection that outlives its log is written to it when it ends, and to no
// other.
func TestFlowOutlivesLog(t *testing.T) {
	dir := t.TempDir()
	h := newSystem(t, func(c *balancer.Config) { c.AccessLogs = dir })
	a := target(t, func(c net.Conn) { io.Copy(c, c) })
	b := nlb("TLS", "arn:g")
	b.ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/test/50dc6c495c0c9188"
	b.Attributes = map[string]string{"access_logs.s3.enabled": "true", "access_logs.s3.bucket": "flows"}
	b.Listeners[0].Certificates = []desired.Certificate{keyPair(t, "a.example")}
	b.Listeners[0].SSLPolicy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
	groups := []desired.BalancerGroup{flowGroup("TCP", a)}
	h.set([]desired.Balancer{b}, groups)
	h.healthy(1)
	c := tls.Client(dial(t, h.addr(90)), &tls.Config{InsecureSkipVerify: true})
	io.WriteString(c, "x")
	io.ReadFull(c, make([]byte, 1))
	b.Attributes = map[string]string{"access_logs.s3.enabled": "false"}
	h.set([]desired.Balancer{b}, groups)
	other := tls.Client(dial(t, h.addr(90)), &tls.Config{InsecureSkipVerify: true})
	io.WriteString(other, "x")
	io.ReadFull(other, make([]byte, 1))
	other.Close()
	eventually(t, "the other has ended", func() bool { return h.counted("")["ActiveFlowCount_TLS"] == 1 })
	c.Close()
	line := logLines(t, dir, "flows", "*.log", 1)[0]
	if !strings.Contains(line, c.LocalAddr().String()) {
		t.Errorf("line: %s", line)
	}
}
