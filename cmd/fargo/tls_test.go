package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fargo"
	"fargo/api/acm"
	"fargo/instance"
	"fargo/plan"
	"fargo/store"
)

// secured is an API over TLS: what answers says how it was asked.
type secured struct {
	*certificates
	address   string
	authority *x509.CertPool
}

func newSecured(t *testing.T, flags tlsFlags) *secured {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s := &secured{address: l.Addr().String(), authority: x509.NewCertPool()}
	s.certificates, err = flags.open(l.Addr(), log)
	must(t, err)
	db, err := store.Open(t.Context(), store.NewMemory())
	must(t, err)
	inst := &instance.Instance{Dir: t.TempDir(), ID: "1a2b"}
	pem, err := acm.CACertificate(t.Context(), db, fargo.DefaultAccount)
	must(t, err)
	must(t, inst.SetCA(pem))
	s.authority.AppendCertsFromPEM([]byte(pem))
	p := &plane{planeConfig: planeConfig{inst: inst, log: log, certificates: s.certificates}, db: db}
	must(t, p.openCertificates(t.Context()))
	must(t, db.Update(t.Context(), func(tx *store.Tx) error {
		c, err := acm.IssuePlatform(tx, "us-east-1", plan.CertificateNames("us-east-1"), time.Now())
		store.PlatformCertificates.Put(tx, c)
		return err
	}))
	p.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Proto+" over "+tls.VersionName(r.TLS.Version))
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- p.serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

// get asks by a name, and gives what was answered and the certificate that was shown.
func (s *secured) get(t *testing.T, name string, roots *x509.CertPool, http2 bool) (string, *x509.Certificate, error) {
	t.Helper()
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", s.address)
		},
		TLSClientConfig:   &tls.Config{RootCAs: roots},
		ForceAttemptHTTP2: http2,
	}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get("https://" + name + "/")
	if err != nil {
		return "", nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	return string(body), resp.TLS.PeerCertificates[0], nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAPIsOverTLS(t *testing.T) {
	s := newSecured(t, tlsFlags{TLS: true})
	for _, name := range []string{
		s.address, "localhost", "bucket.localhost", "ecs.us-east-1.amazonaws.com", "123456789012.dkr.ecr.us-east-1.amazonaws.com",
		"bucket.s3.us-east-1.amazonaws.com", "sts.amazonaws.com", apiName,
	} {
		for proto, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
			if got, _, err := s.get(t, name, s.authority, http2); err != nil || got != proto+" over TLS 1.3" {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
	}
	if _, _, err := s.get(t, "dynamodb.example.com", s.authority, true); err == nil {
		t.Error("there is a certificate for any name")
	}
	for version, want := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true} {
		c, err := tls.Dial("tcp", s.address, &tls.Config{RootCAs: s.authority, MinVersion: tls.VersionTLS10, MaxVersion: version})
		if (err == nil) != want {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			c.Close()
		}
	}
	trusted, err := os.ReadFile(s.inst.TrustFile())
	must(t, err)
	authority, err := os.ReadFile(s.inst.CAFile())
	must(t, err)
	if string(trusted) != string(authority) {
		t.Errorf("clients are to trust %s", trusted)
	}
}

// The head of a request is bounded by HTTP/2 too.
func TestHeadsOverTLS(t *testing.T) {
	s := newSecured(t, tlsFlags{TLS: true})
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.authority}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	for size, served := range map[int]bool{maxRequestHead / 2: true, 2 * maxRequestHead: false} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+s.address+"/", http.NoBody)
		must(t, err)
		r.Header.Set("X", strings.Repeat("x", size))
		resp, err := transport.RoundTrip(r)
		if err == nil {
			resp.Body.Close()
		}
		if got := err == nil && resp.StatusCode == http.StatusOK; got != served {
			t.Errorf("a field of %d bytes: %v", size, err)
		}
	}
}

// Who forgets the "s" is told so.
func TestPlainRequestOverTLS(t *testing.T) {
	s := newSecured(t, tlsFlags{TLS: true})
	c, err := net.Dial("tcp", s.address)
	must(t, err)
	defer c.Close()
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	must(t, err)
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "HTTPS") {
		t.Errorf("%s %s", resp.Status, body)
	}
}

// The certificate stays until it is due, also for the next process, and is another one then.
func TestCertificateIsRenewed(t *testing.T) {
	s := newSecured(t, tlsFlags{TLS: true})
	body := func() string {
		c, _ := store.APICertificate(s.db.View())
		return c.Body
	}
	first, now := body(), time.Now()
	must(t, s.renew(t.Context(), now))
	if body() != first {
		t.Error("it was issued again at once")
	}
	names := s.names
	s.names = func() ([]string, error) {
		all, err := names()
		return append(all, "192.0.2.1"), err
	}
	must(t, s.renew(t.Context(), now))
	second := body()
	if second == first {
		t.Error("it lacks a new address")
	}
	must(t, s.renew(t.Context(), now.AddDate(1, 0, 0)))
	if body() == second {
		t.Error("it was left to expire")
	}
}

// Fargo's own connections need nobody else's certificate, and take no other.
func TestDialAPI(t *testing.T) {
	files := writePair(t, t.TempDir(), "fargo.example.com")
	given := newSecured(t, tlsFlags{TLSCert: files.certFile, TLSKey: files.keyFile})
	c, err := dialAPI(given.inst)(t.Context(), "tcp", given.address)
	must(t, err)
	c.Close()
	other := newSecured(t, tlsFlags{TLS: true})
	if c, err := dialAPI(given.inst)(t.Context(), "tcp", other.address); err == nil {
		c.Close()
		t.Error("the APIs of another instance were taken for its own")
	}
}

// writePair writes a certificate that signs itself, and its key.
func writePair(t *testing.T, dir string, names ...string) *keyPair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	p := &keyPair{certFile: filepath.Join(dir, "cert.pem"), keyFile: filepath.Join(dir, "key.pem"), log: slog.New(slog.DiscardHandler)}
	must(t, os.WriteFile(p.certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(t, os.WriteFile(p.keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	return p
}

func TestGivenCertificate(t *testing.T) {
	dir := t.TempDir()
	files := writePair(t, dir, "fargo.example.com", "*.fargo.example.com")
	s := newSecured(t, tlsFlags{TLSCert: files.certFile, TLSKey: files.keyFile})
	trusted := func() *x509.CertPool {
		pool := x509.NewCertPool()
		pem, err := os.ReadFile(s.inst.TrustFile())
		must(t, err)
		pool.AppendCertsFromPEM(pem)
		return pool
	}
	shown := func(name string) *x509.Certificate {
		_, c, err := s.get(t, name, trusted(), true)
		must(t, err)
		return c
	}
	first := shown("fargo.example.com")
	if !slices.Equal(shown("bucket.fargo.example.com").Raw, first.Raw) {
		t.Error("there are two")
	}
	if _, _, err := s.get(t, "ecs.us-east-1.amazonaws.com", s.authority, true); err != nil {
		t.Errorf("a name of AWS: %v", err)
	}

	// A file that does not fit the other is not used, and both are when they do.
	cert, err := os.ReadFile(files.certFile)
	must(t, err)
	writePair(t, dir, "fargo.example.com")
	renewed, err := os.ReadFile(files.certFile)
	must(t, err)
	must(t, os.WriteFile(files.certFile, cert[:len(cert)/2], 0o600))
	if !slices.Equal(shown("fargo.example.com").Raw, first.Raw) {
		t.Error("half a file was used")
	}
	must(t, os.WriteFile(files.certFile, renewed, 0o600))
	must(t, s.renew(t.Context(), time.Now()))
	if slices.Equal(shown("fargo.example.com").Raw, first.Raw) {
		t.Error("the files were not read again")
	}
	must(t, os.Remove(files.keyFile))
	shown("fargo.example.com")
}

func TestCertificateThatIsNone(t *testing.T) {
	a, b := writePair(t, t.TempDir(), "a.example.com"), writePair(t, t.TempDir(), "b.example.com")
	none := filepath.Join(t.TempDir(), "none")
	for name, flags := range map[string]tlsFlags{
		"another's key": {TLSCert: a.certFile, TLSKey: b.keyFile},
		"no file":       {TLSCert: none, TLSKey: a.keyFile},
		"swapped":       {TLSCert: a.keyFile, TLSKey: a.certFile},
	} {
		if _, err := flags.open(&net.TCPAddr{}, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), flags.TLSCert) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestClientURL(t *testing.T) {
	for _, c := range []struct {
		names []string
		at    string
		want  string
	}{
		{nil, "127.0.0.1", "127.0.0.1"},
		{[]string{"127.0.0.1", "a.example.com"}, "127.0.0.1", "127.0.0.1"},
		{[]string{"a.example.com", "localhost"}, "127.0.0.1", "localhost"},
		{[]string{"*.example.com", "a.example.com"}, "192.0.2.1", "a.example.com"},
		{[]string{"*.example.com"}, "192.0.2.1", "192.0.2.1"},
		{[]string{"2001:db8::1"}, "::1", "[2001:db8::1]"},
	} {
		var certificates *certificates
		if c.names != nil {
			files := writePair(t, t.TempDir(), c.names...)
			var err error
			certificates, err = tlsFlags{TLSCert: files.certFile, TLSKey: files.keyFile}.open(&net.TCPAddr{}, files.log)
			must(t, err)
		}
		at := netip.AddrPortFrom(netip.MustParseAddr(c.at), 4566)
		if got, err := certificates.clientURL("https://" + at.String()); err != nil || got != "https://"+c.want+":4566" {
			t.Errorf("%v at %s: %s, %v", c.names, c.at, got, err)
		}
	}
}
