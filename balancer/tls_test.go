package balancer_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	grpchealth "google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"fargo/aws/elbv2"
	"fargo/desired"
	"fargo/secret"
)

// keyPair is a certificate for names, signed by itself.
func keyPair(t testing.TB, names ...string) desired.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	chain := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	id := desired.CertificateKeyOf(chain)
	keys.Store(id, secret.New(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))))
	return desired.Certificate{ARN: "arn:cert:" + names[0], Chain: chain, KeyID: id}
}

// keys are those of all that keyPair has made, by their ids.
var keys sync.Map

func keyOf(c desired.Certificate) secret.Text {
	key, _ := keys.Load(c.KeyID)
	return key.(secret.Text)
}

// keysOf are those of the listeners' certificates.
func keysOf(balancers []desired.Balancer) map[desired.SecretID]secret.Text {
	all := map[desired.SecretID]secret.Text{}
	for _, b := range balancers {
		for _, l := range b.Listeners {
			for _, c := range l.Certificates {
				all[c.KeyID] = keyOf(c)
			}
		}
	}
	return all
}

// https is a balancer with one listener of HTTPS on port 443.
func https(t testing.TB, rules ...desired.BalancerRule) desired.Balancer {
	b := alb(rules...)
	b.Listeners[0].Protocol, b.Listeners[0].Port = "HTTPS", 443
	b.Listeners[0].SSLPolicy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
	b.Listeners[0].Certificates = []desired.Certificate{keyPair(t, "default.example"), keyPair(t, "*.b.example")}
	return b
}

// secureClient speaks to the balancer whatever the URL's host.
func secureClient(t testing.TB, h *system, http2 bool) *http.Client {
	address := h.addr(443)
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		},
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		ForceAttemptHTTP2: http2,
		Protocols:         new(http.Protocols),
	}
	transport.Protocols.SetHTTP1(!http2)
	transport.Protocols.SetHTTP2(http2)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestHTTPS(t *testing.T) {
	h := newSystem(t)
	a := backend(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		fmt.Fprintf(w, "%s %s %s %s %d %v", r.Method, r.URL, r.Header.Get("X-Forwarded-Proto"), r.Header.Get("X-Forwarded-Port"), len(body), r.Header.Get("X-Forwarded-For") != "")
	})
	h.set([]desired.Balancer{https(t, forwardTo("arn:g"))}, []desired.BalancerGroup{group("arn:g", a)})
	h.healthy(1)
	for _, http2 := range []bool{false, true} {
		client := secureClient(t, h, http2)
		for _, test := range []struct{ host, certificate string }{{"x.b.example", "*.b.example"}, {"other.example", "default.example"}} {
			r, err := client.Post("https://"+test.host+"/a%2fb?c=d", "text/plain", strings.NewReader(strings.Repeat("x", 100000)))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(r.Body)
			r.Body.Close()
			if want := "POST /a%2fb?c=d https 443 100000 true"; string(body) != want || err != nil {
				t.Errorf("HTTP/2 %v: %q, want %q, %v", http2, body, want, err)
			}
			if got := r.TLS.PeerCertificates[0].DNSNames[0]; got != test.certificate {
				t.Errorf("%s was shown %s", test.host, got)
			}
			if (r.ProtoMajor == 2) != http2 {
				t.Errorf("spoke %s", r.Proto)
			}
			client.CloseIdleConnections()
		}
	}
}

// A certificate that does not parse is told, and does not keep the others from
// working.
func TestBadCertificate(t *testing.T) {
	h := newSystem(t)
	b := https(t, forwardTo("arn:g"))
	b.Listeners[0].Certificates[0].Chain = "nonsense"
	err := h.trySet([]desired.Balancer{b}, []desired.BalancerGroup{group("arn:g")})
	if err == nil || !strings.Contains(err.Error(), "arn:cert:default.example") {
		t.Errorf("error: %v", err)
	}
	r, err := secureClient(t, h, true).Get("https://x.b.example/")
	if err != nil || r.StatusCode != 503 || r.Header.Get("Server") != "awselb/2.0" {
		t.Errorf("%v %v", r, err)
	}
}

// Targets of HTTPS groups and of HTTP2 groups, from clients of HTTP/2.
func TestTargetProtocols(t *testing.T) {
	h := newSystem(t)
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) })
	secure := httptest.NewUnstartedServer(answer)
	secure.EnableHTTP2 = true
	secure.StartTLS()
	t.Cleanup(secure.Close)
	plain := httptest.NewUnstartedServer(answer)
	plain.Config.Protocols = new(http.Protocols)
	plain.Config.Protocols.SetUnencryptedHTTP2(true)
	plain.Start()
	t.Cleanup(plain.Close)
	for _, test := range []struct{ protocol, version, address, want, want1 string }{
		{"HTTPS", "HTTP1", secure.Listener.Addr().String(), "200 HTTP/1.1", "200 HTTP/1.1"},
		{"HTTPS", "HTTP2", secure.Listener.Addr().String(), "200 HTTP/2.0", "464"},
		{"HTTP", "HTTP2", plain.Listener.Addr().String(), "200 HTTP/2.0", "464"},
	} {
		g := group("arn:"+test.protocol+test.version, test.address)
		g.Group.Protocol, g.Group.HealthCheckProtocol = elbv2.ProtocolEnum(test.protocol), elbv2.ProtocolEnum(test.protocol)
		g.Group.ProtocolVersion = new(test.version)
		h.set([]desired.Balancer{https(t, forwardTo(g.ARN))}, []desired.BalancerGroup{g})
		h.healthy(1)
		for _, http2 := range []bool{true, false} {
			r, err := secureClient(t, h, http2).Get("https://a.example/")
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(r.Body)
			want := test.want
			if !http2 {
				want = test.want1
			}
			if got := fmt.Sprintf("%d %s", r.StatusCode, body); !strings.HasPrefix(got, want) {
				t.Errorf("%s %s, HTTP/2 %v: %s", test.protocol, test.version, http2, got)
			}
		}
	}
}

// TestGRPC calls a real gRPC service through a GRPC group, whose health check
// calls it too.
func TestGRPC(t *testing.T) {
	h := newSystem(t)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	service, server := grpchealth.NewServer(), grpc.NewServer()
	healthpb.RegisterHealthServer(server, service)
	go server.Serve(l)
	t.Cleanup(server.Stop)
	g := group("arn:g", l.Addr().String())
	g.Group.ProtocolVersion = new("GRPC")
	g.Group.HealthCheckPath, g.Group.Matcher = new("/grpc.health.v1.Health/Check"), &elbv2.Matcher{GrpcCode: new("0")}
	h.set([]desired.Balancer{https(t, forwardTo("arn:g"))}, []desired.BalancerGroup{g})
	h.healthy(1)

	conn, err := grpc.NewClient("passthrough:///"+h.addr(443), grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	client := healthpb.NewHealthClient(conn)
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	answer, err := client.Check(ctx, &healthpb.HealthCheckRequest{})
	if err != nil || answer.Status != healthpb.HealthCheckResponse_SERVING {
		t.Fatalf("%v %v", answer, err)
	}
	if _, err := client.Check(ctx, &healthpb.HealthCheckRequest{Service: "unknown"}); status.Code(err) != codes.NotFound {
		t.Errorf("status in the trailers: %v", err)
	}
	watch, err := client.Watch(ctx, &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []healthpb.HealthCheckResponse_ServingStatus{healthpb.HealthCheckResponse_SERVING, healthpb.HealthCheckResponse_NOT_SERVING} {
		answer, err := watch.Recv()
		if err != nil || answer.Status != want {
			t.Fatalf("%v %v", answer, err)
		}
		service.SetServingStatus("", healthpb.HealthCheckResponse_NOT_SERVING)
	}
	// a GRPC group's targets do not understand other requests
	r, err := secureClient(t, h, true).Get("https://a.example/")
	if err != nil || r.StatusCode != 464 {
		t.Errorf("%v %v", r, err)
	}
}

// WebSockets work over TLS too.
func TestSecureWebSocket(t *testing.T) {
	h := newSystem(t)
	a := target(t, func(c net.Conn) {
		in := bufio.NewReader(c)
		if r, err := http.ReadRequest(in); err != nil || r.URL.Path == "/health" {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			return
		}
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
		io.Copy(c, in)
	})
	h.set([]desired.Balancer{https(t, forwardTo("arn:g"))}, []desired.BalancerGroup{group("arn:g", a)})
	h.healthy(1)
	c := tls.Client(dial(t, h.addr(443)), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	in := bufio.NewReader(c)
	if r, err := http.ReadResponse(in, nil); err != nil || r.StatusCode != 101 {
		t.Fatalf("%v %v", r, err)
	}
	io.WriteString(c, "ping\n")
	if line, err := in.ReadString('\n'); err != nil || line != "ping\n" {
		t.Errorf("%q %v", line, err)
	}
	c.CloseWrite()
	if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}
