package endpoint

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"fargo/desired"
	"fargo/secret"
)

// loopback is a Network whose places are ports of this machine.
type loopback struct {
	mu    sync.Mutex
	ports map[place]int
}

func (l *loopback) ListenTCP(in string, addr netip.AddrPort) (net.Listener, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := place{in, addr}
	c, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: l.ports[at]})
	if err != nil {
		return nil, err
	}
	l.ports[at] = c.Addr().(*net.TCPAddr).Port
	return c, nil
}

// dial connects to an address in a VPC or an interface, once it is listened at.
func (l *loopback) dial(t *testing.T, in, addr string) net.Conn {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if c, err := l.tryDial(in, addr); err == nil {
			t.Cleanup(func() { c.Close() })
			return c
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("nobody listens at %s in %s", addr, in)
	return nil
}

func (l *loopback) tryDial(in, addr string) (net.Conn, error) {
	l.mu.Lock()
	port := l.ports[place{in, netip.MustParseAddrPort(addr)}]
	l.mu.Unlock()
	if port == 0 {
		return nil, io.EOF
	}
	return net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
}

// client sends requests to an address, whatever their host is.
func (l *loopback) client(t *testing.T, in, addr string, ca *x509.CertPool, http2 bool) *http.Client {
	transport := &http.Transport{
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return l.dial(t, in, addr), nil },
		TLSClientConfig:   &tls.Config{RootCAs: ca},
		ForceAttemptHTTP2: http2, ExpectContinueTimeout: time.Minute,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

var theVPC = desired.VPC{ID: "vpc-1", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}}

const (
	plain  = "10.0.0.3:80"
	secure = "10.0.0.3:443"
)

// fixture is a server, and what is behind it.
type fixture struct {
	*Server
	network  *loopback
	platform desired.Platform
	secrets  map[desired.SecretID]secret.Text
	roots    *x509.CertPool
}

func newFixture(t *testing.T, apis http.Handler) *fixture {
	upstream := httptest.NewServer(apis)
	t.Cleanup(upstream.Close)
	f := &fixture{
		network: &loopback{ports: map[place]int{}}, platform: desired.Platform{Upstream: upstream.URL},
		secrets: map[desired.SecretID]secret.Text{}, roots: x509.NewCertPool(),
	}
	f.Server = New(Config{
		Network: f.network, Hidden: func(path string) bool { return path == "/hidden" }, Channels: http.HandlerFunc(echoMessages),
		Logger: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return f
}

// certify gives the platform a certificate more.
func (f *fixture) certify(t *testing.T, names ...string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: names, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	chain := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	c := desired.Certificate{Chain: chain, KeyID: desired.CertificateKeyOf(chain)}
	f.platform.Certificates = append(f.platform.Certificates, c)
	f.secrets[c.KeyID] = secret.New(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	f.roots.AppendCertsFromPEM([]byte(chain))
}

func (f *fixture) set(t *testing.T, endpoints ...desired.Endpoint) {
	t.Helper()
	if err := f.Set([]desired.VPC{theVPC}, endpoints, f.platform, f.secrets); err != nil {
		t.Fatal(err)
	}
}

// ask sends a request as it is written and gives the answer's status line and body.
func (f *fixture) ask(t *testing.T, request string) string {
	t.Helper()
	c := f.network.dial(t, "vpc-1", plain)
	request = strings.ReplaceAll(strings.ReplaceAll(request, "\n", "\r\n"), "|", "\r\n\r\n")
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Status + " " + strings.TrimSpace(string(body))
}

// What a client has signed arrives as it sent it.
func TestForwardsAsItCame(t *testing.T) {
	f := newFixture(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s host=%s", r.Method, r.RequestURI, r.Host)
		for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Target", "X-Forwarded-For", "User-Agent", "Accept-Encoding"} {
			fmt.Fprintf(w, " %s=%q", name, r.Header[name])
		}
		fmt.Fprintf(w, " length=%d body=%s", r.ContentLength, body)
	}))
	f.set(t)
	for _, test := range []struct{ request, want string }{
		{
			"POST / HTTP/1.1\nHost: ecs.us-east-1.amazonaws.com\nAuthorization: AWS4-HMAC-SHA256 x\nX-Amz-Date: d\nX-Amz-Target: t\nContent-Length: 2|{}",
			`200 OK POST / host=ecs.us-east-1.amazonaws.com Authorization=["AWS4-HMAC-SHA256 x"] X-Amz-Date=["d"] X-Amz-Target=["t"] X-Forwarded-For=[] User-Agent=[] Accept-Encoding=[] length=2 body={}`,
		},
		{
			"GET //a%2Fb/../c%20d?x=%zz;y&y HTTP/1.1\nHost: a:80\nX-Forwarded-For: 1.2.3.4\nUser-Agent: aws\nAccept-Encoding: identity|",
			`200 OK GET //a%2Fb/../c%20d?x=%zz;y&y host=a:80 Authorization=[] X-Amz-Date=[] X-Amz-Target=[] X-Forwarded-For=["1.2.3.4"] User-Agent=["aws"] Accept-Encoding=["identity"] length=0 body=`,
		},
		{
			"PUT /v2/a/blobs/uploads/1 HTTP/1.1\nHost: a\nTransfer-Encoding: chunked|3\nabc\n0|",
			`200 OK PUT /v2/a/blobs/uploads/1 host=a Authorization=[] X-Amz-Date=[] X-Amz-Target=[] X-Forwarded-For=[] User-Agent=[] Accept-Encoding=[] length=-1 body=abc`,
		},
	} {
		if got := f.ask(t, test.request); got != test.want {
			t.Errorf("%s\n%s, want\n%s", test.request, got, test.want)
		}
	}
}

// Where S3 has an address of its own, it answers by its names, and nothing else does.
func TestS3Alone(t *testing.T) {
	f := newFixture(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "for "+r.Host) }))
	v := theVPC
	v.S3 = desired.ServiceAddress{
		Address: netip.MustParseAddr("198.51.100.1"), Names: []string{"s3.us-east-1.amazonaws.com", "*.s3.us-east-1.amazonaws.com"},
	}
	if err := f.Set([]desired.VPC{v}, nil, f.platform, f.secrets); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		at, host string
		answers  bool
	}{
		{"198.51.100.1:80", "s3.us-east-1.amazonaws.com", true},
		{"198.51.100.1:80", "Files.s3.us-east-1.amazonaws.com:80", true},
		{"198.51.100.1:80", "ecs.us-east-1.amazonaws.com", false},
		{"198.51.100.1:80", "198.51.100.1", false},
		{plain, "ecs.us-east-1.amazonaws.com", true},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+test.host+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := f.network.client(t, "vpc-1", test.at, f.roots, false).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if answered := string(body) == "for "+test.host; answered != test.answers || !answered && !strings.Contains(string(body), "for another host") {
			t.Errorf("%s at %s: %s", test.host, test.at, body)
		}
	}
}

// Requests say which VPC or which interface endpoint they came through, and from which
// address, whatever the client says; that is signed with a key that clients do not have.
func TestOrigins(t *testing.T) {
	f := newFixture(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, strings.Join(r.Header[desired.OriginHeader], ";"))
	}))
	endpoints := []desired.Endpoint{{ID: "vpce-1", Interfaces: []desired.Interface{{ID: "eni-1", VPC: "vpc-1", Address: netip.MustParseAddr("10.0.1.7")}}}}
	f.set(t, endpoints...)
	forged := desired.Origin{At: "vpce-2", Client: netip.MustParseAddr("10.0.0.9")}.Sign(desired.OriginKey("mine"))
	told := func(in, addr string) string {
		t.Helper()
		url := "http://a/"
		if strings.HasSuffix(addr, ":443") {
			url = "https://ecs.us-east-1.amazonaws.com/"
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(desired.OriginHeader, forged)
		resp, err := f.network.client(t, in, addr, f.roots, false).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return string(body)
	}
	if got := told("vpc-1", plain); got != "" {
		t.Errorf("without a certificate %q", got)
	}
	f.certify(t, "ecs.us-east-1.amazonaws.com")
	f.set(t, endpoints...)
	key := desired.OriginKey(f.secrets[f.platform.Certificates[0].KeyID].Reveal())
	client := netip.MustParseAddr("127.0.0.1")
	for addr, want := range map[string]desired.Origin{
		plain:          {At: "vpc-1", Client: client},
		secure:         {At: "vpc-1", Client: client, Secure: true},
		"10.0.1.7:80":  {At: "vpce-1", Client: client},
		"10.0.1.7:443": {At: "vpce-1", Client: client, Secure: true},
	} {
		in := "vpc-1"
		if want.At == "vpce-1" {
			in = "eni-1"
		}
		if got, ok := desired.OpenOrigin(told(in, addr), key); !ok || got != want {
			t.Errorf("%s: %+v, %v", addr, got, ok)
		}
	}
}

// Bodies are streams in both directions, in either version of HTTP: nothing waits for
// what comes later.
func TestStreams(t *testing.T) {
	f := newFixture(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		_ = c.EnableFullDuplex()
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			fmt.Fprintln(w, "you said", lines.Text())
			_ = c.Flush()
		}
	}))
	f.certify(t, "ecs.us-east-1.amazonaws.com")
	f.set(t)
	for _, http2 := range []bool{false, true} {
		reader, writer := io.Pipe()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://ecs.us-east-1.amazonaws.com/", reader)
		if err != nil {
			t.Fatal(err)
		}
		go io.WriteString(writer, "one\n")
		resp, err := f.network.client(t, "vpc-1", secure, f.roots, http2).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.ProtoMajor == 2 != http2 {
			t.Errorf("the answer is in %s", resp.Proto)
		}
		lines := bufio.NewScanner(resp.Body)
		for _, word := range []string{"one", "two", "three"} {
			if !lines.Scan() || lines.Text() != "you said "+word {
				t.Fatalf("%q, %v", lines.Text(), lines.Err())
			}
			if word == "one" {
				go io.WriteString(writer, "two\nthree\n")
			}
		}
		writer.Close()
		if lines.Scan() {
			t.Errorf("and %q", lines.Text())
		}
		resp.Body.Close()
	}
}

// A client that waits to be asked for its body is asked when the control plane asks, and
// refused without it when that refuses.
func TestExpectContinue(t *testing.T) {
	f := newFixture(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refused" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		io.Copy(w, r.Body)
	}))
	f.set(t)
	client := f.network.client(t, "vpc-1", plain, nil, false)
	for path, want := range map[string]string{"/": "200 OK content", "/refused": "403 Forbidden "} {
		body := &countingReader{Reader: strings.NewReader("content")}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://a"+path, body)
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = int64(len("content"))
		req.Header.Set("Expect", "100-continue")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if text := resp.Status + " " + string(got); text != want {
			t.Errorf("%s: %s, want %s", path, text, want)
		}
		if path == "/refused" && body.read > 0 {
			t.Error("the body was sent")
		}
	}
}

type countingReader struct {
	io.Reader
	read int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += n
	return n, err
}

// Nothing but the APIs can be reached.
func TestNothingElse(t *testing.T) {
	f := newFixture(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s was forwarded", r.Method, r.RequestURI)
	}))
	f.set(t)
	for _, request := range []string{
		"CONNECT 127.0.0.1:22 HTTP/1.1\nHost: 127.0.0.1:22|",
		"GET http://127.0.0.1/ HTTP/1.1\nHost: a|",
		"GET https://ecs.us-east-1.amazonaws.com/ HTTP/1.1\nHost: ecs.us-east-1.amazonaws.com|",
		"OPTIONS * HTTP/1.1\nHost: a|",
		"GET /hidden HTTP/1.1\nHost: a|",
		"GET /%68idden?x HTTP/1.1\nHost: a|",
	} {
		if got := f.ask(t, request); !strings.HasPrefix(got, "40") || !strings.Contains(got, "UnknownOperationException") {
			t.Errorf("%s: %s", request, got)
		}
	}
}

// While the control plane is away, clients get an error that their SDKs know, in their
// protocol; and answers again when it is back.
func TestUnavailable(t *testing.T) {
	f := newFixture(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "back") }))
	there := f.platform.Upstream
	away, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.platform.Upstream = "http://" + away.Addr().String()
	away.Close()
	f.set(t)
	const scope = "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=" +
		"0000000000000000000000000000000000000000000000000000000000000000\nX-Amz-Date: 20260101T000000Z"
	for name, test := range map[string]struct{ request, want string }{
		"json":     {"POST / HTTP/1.1\nHost: a\nX-Amz-Target: x\nContent-Length: 0|", `{"__type":"ServiceUnavailable"`},
		"ec2":      {"POST / HTTP/1.1\nHost: a\n" + scope + "\nContent-Length: 0|", "<Response><Errors><Error><Code>ServiceUnavailable</Code>"},
		"query":    {"POST / HTTP/1.1\nHost: a\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 0|", "<ErrorResponse><Error><Type>Receiver</Type><Code>ServiceUnavailable</Code>"},
		"registry": {"GET /v2/ HTTP/1.1\nHost: a|", `{"errors":[{"code":"UNAVAILABLE"`},
	} {
		if got := f.ask(t, test.request); !strings.HasPrefix(got, "503 ") || !strings.Contains(got, test.want) {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
	f.platform.Upstream = there
	f.set(t)
	if got := f.ask(t, "GET / HTTP/1.1\nHost: a|"); got != "200 OK back" {
		t.Error(got)
	}
}

// Each name has its certificate; a client that names none, and one that names another,
// gets the first.
func TestCertificates(t *testing.T) {
	f := newFixture(t, http.NotFoundHandler())
	f.certify(t, "ecs.us-east-1.amazonaws.com")
	f.certify(t, "*.dkr.ecr.eu-west-1.amazonaws.com")
	f.set(t)
	expect := func(name, want string) {
		t.Helper()
		c := tls.Client(f.network.dial(t, "vpc-1", secure), &tls.Config{ServerName: name, InsecureSkipVerify: true}) //nolint:gosec // which one it is, is what is asked
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		if got := c.ConnectionState().PeerCertificates[0].DNSNames[0]; got != want {
			t.Errorf("%q gets the certificate of %s, want %s", name, got, want)
		}
	}
	expect("ecs.us-east-1.amazonaws.com", "ecs.us-east-1.amazonaws.com")
	expect("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "*.dkr.ecr.eu-west-1.amazonaws.com")
	expect("", "ecs.us-east-1.amazonaws.com")
	expect("example.com", "ecs.us-east-1.amazonaws.com")

	// A new one is there with Set; one without its key changes nothing.
	f.platform.Certificates = nil
	f.certify(t, "sts.amazonaws.com")
	f.set(t)
	expect("ecs.us-east-1.amazonaws.com", "sts.amazonaws.com")
	f.platform.Certificates = []desired.Certificate{{Chain: "other", KeyID: "certificate-key/none"}}
	if err := f.Set([]desired.VPC{theVPC}, nil, f.platform, f.secrets); err == nil {
		t.Error("a certificate without a key is taken")
	}
	expect("ecs.us-east-1.amazonaws.com", "sts.amazonaws.com")
}

// Interface endpoints answer at their interfaces, and when they or a VPC are gone, so
// are their sockets and the connections to them.
func TestPlacesGo(t *testing.T) {
	f := newFixture(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "yes") }))
	f.set(t, desired.Endpoint{ID: "vpce-1", Interfaces: []desired.Interface{
		{ID: "eni-1", VPC: "vpc-1", Address: netip.MustParseAddr("10.0.1.7"), IPv6: netip.MustParseAddr("2001:db8::7")},
	}})
	open := map[string]net.Conn{}
	for at, in := range map[string]string{plain: "vpc-1", secure: "vpc-1", "10.0.1.7:80": "eni-1", "10.0.1.7:443": "eni-1", "[2001:db8::7]:80": "eni-1"} {
		open[at] = f.network.dial(t, in, at)
	}
	f.set(t)
	closed := func(at string) {
		t.Helper()
		if n, err := open[at].Read(make([]byte, 1)); err == nil {
			t.Errorf("the connection to %s gives %d bytes", at, n)
		}
	}
	for _, at := range []string{"10.0.1.7:80", "10.0.1.7:443", "[2001:db8::7]:80"} {
		closed(at)
		if c, err := f.network.tryDial("eni-1", at); err == nil {
			c.Close()
			t.Errorf("%s is listened at", at)
		}
	}
	io.WriteString(open[plain], "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	var answer bytes.Buffer
	io.CopyN(&answer, open[plain], 15)
	if answer.String() != "HTTP/1.1 200 OK" {
		t.Errorf("the connection to the VPC's address gives %q", &answer)
	}
	if err := f.Set(nil, nil, f.platform, f.secrets); err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, open[plain])
	closed(plain)
	closed(secure)
}

// Where the control plane is older there is nothing to answer for.
func TestNoPlatform(t *testing.T) {
	f := newFixture(t, http.NotFoundHandler())
	f.set(t)
	f.network.dial(t, "vpc-1", plain)
	if err := f.Set([]desired.VPC{theVPC}, nil, desired.Platform{}, nil); err != nil {
		t.Fatal(err)
	}
	if c, err := f.network.tryDial("vpc-1", plain); err == nil {
		c.Close()
		t.Error("it is listened at")
	}
}
