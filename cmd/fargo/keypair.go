package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// keyPair is a certificate and its key in files, which others write.
type keyPair struct {
	certFile, keyFile string
	log               *slog.Logger

	mu       sync.Mutex
	read     [2]fs.FileInfo // the files that were read last
	pair     *tls.Certificate
	reported string // the error that was logged last
}

// open reads the files.
func (p *keyPair) open() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.load()
}

// current is the certificate as it is in the files now, or was the last time they were good.
func (p *keyPair) current() *tls.Certificate {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.load(); err != nil && err.Error() != p.reported {
		p.log.Error("the APIs go on with the certificate that they had", "err", err)
		p.reported = err.Error()
	}
	return p.pair
}

// load reads the files when they have changed. The two are not changed at once: what does not
// fit is read again the next time.
func (p *keyPair) load() error {
	var found [2]fs.FileInfo
	for i, path := range []string{p.certFile, p.keyFile} {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		found[i] = info
	}
	if p.pair != nil && unchanged(p.read[0], found[0]) && unchanged(p.read[1], found[1]) {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(p.certFile, p.keyFile)
	if err != nil {
		return fmt.Errorf("--tls-cert %s and --tls-key %s are no certificate with its key: %w", p.certFile, p.keyFile, err)
	}
	p.pair, p.read, p.reported = &pair, found, ""
	return nil
}

func unchanged(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// trust is what clients must trust in addition to what every machine does: those
// certificates of the file that nobody else has signed.
func (p *keyPair) trust(now time.Time) string {
	pair := p.current()
	issuers := x509.NewCertPool()
	var roots strings.Builder
	for _, der := range pair.Certificate {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			continue // the leaf has been read, and clients need not like the others
		}
		issuers.AddCert(c)
		if bytes.Equal(c.RawIssuer, c.RawSubject) {
			roots.WriteString(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
		}
	}
	if _, err := pair.Leaf.Verify(x509.VerifyOptions{Intermediates: issuers, CurrentTime: now}); err == nil {
		return ""
	}
	return roots.String()
}

// host is a name or an address that the certificate is for, at best the address at which the
// APIs are, or a name of this machine; that address when it is for none.
func (p *keyPair) host(at netip.Addr, hostname string) string {
	leaf := p.current().Leaf
	candidates := []string{at.String(), hostname}
	if at.IsLoopback() {
		candidates = []string{at.String(), "localhost", hostname}
	}
	candidates = append(candidates, leaf.DNSNames...)
	for _, a := range leaf.IPAddresses {
		candidates = append(candidates, a.String())
	}
	i := slices.IndexFunc(candidates, func(name string) bool {
		return name != "" && !strings.HasPrefix(name, "*.") && leaf.VerifyHostname(name) == nil
	})
	if i < 0 {
		p.log.Warn("the certificate of the APIs is not for this machine's address", "cert", p.certFile, "address", at)
		return at.String()
	}
	return candidates[i]
}
