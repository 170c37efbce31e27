package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"time"

	"fargo"
	"fargo/api/acm"
	"fargo/instance"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// tlsFlags say how the APIs and the registry are served.
type tlsFlags struct {
	TLS     bool   `name:"tls" help:"Serve the APIs and the registry over TLS, with a certificate of the authority that fargo ca prints. What fargo env prints says so to clients."`
	TLSCert string `name:"tls-cert" and:"tls" help:"Serve them over TLS with the certificate in this file, in PEM, with those of its issuers behind it. It is read again when it changes." placeholder:"FILE"`
	TLSKey  string `name:"tls-key" and:"tls" help:"The private key of --tls-cert, in PEM and not encrypted." placeholder:"FILE"`
}

// scheme is that of URLs of the APIs.
func (f tlsFlags) scheme() string {
	if f.TLS || f.TLSCert != "" {
		return "https"
	}
	return "http"
}

// certificates are what the APIs identify themselves with over TLS: a certificate of
// Fargo's own, those for the names of AWS, and one that somebody gave.
type certificates struct {
	inst  *instance.Instance
	db    *store.DB
	given *keyPair // nil: none
	// names gives those that Fargo's own certificate is to have.
	names func() ([]string, error)
	log   *slog.Logger
}

// open makes what the flags ask for; nil without TLS. It fails when a file that was given
// cannot be used.
func (f tlsFlags) open(at net.Addr, log *slog.Logger) (*certificates, error) {
	c := &certificates{names: func() ([]string, error) { return namesAt(at) }, log: log}
	switch {
	case f.TLSCert != "":
		c.given = &keyPair{certFile: f.TLSCert, keyFile: f.TLSKey, log: log}
		if err := c.given.open(); err != nil {
			return nil, err
		}
	case !f.TLS:
		return nil, nil //nolint:nilnil // TLS is not wanted
	}
	return c, nil
}

// config is that of a server.
func (c *certificates) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.choose}
}

// choose gives the certificate for the name that a client has asked for. Fargo's own clients
// always get Fargo's; others get the given one, if there is one, unless the name is of
// another.
func (c *certificates) choose(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := hello.ServerName
	if c.given != nil && name != apiName {
		if given := c.given.current(); name == "" || given.Leaf.VerifyHostname(name) == nil {
			return given, nil
		}
	}
	view := c.db.View()
	own, ok := store.APICertificate(view)
	if !ok {
		return nil, fmt.Errorf("there is no certificate for %s", name)
	}
	if name != "" && !isFor(own.Names, name) {
		for p := range store.PlatformCertificates.All(view) {
			if isFor(p.Names, name) {
				return pair(p.Body+p.Issuer, p.PrivateKey)
			}
		}
		if c.given != nil {
			return c.given.current(), nil
		}
	}
	return pair(own.Body+own.Issuer, own.PrivateKey)
}

// isFor reports whether a certificate with these names is for that of a host.
func isFor(names []string, host string) bool {
	return (&x509.Certificate{DNSNames: names}).VerifyHostname(host) == nil
}

func pair(chain, key string) (*tls.Certificate, error) {
	c, err := tls.X509KeyPair([]byte(chain), []byte(key))
	return &c, err
}

// renewalInterval is the time between two looks at whether a certificate is due: this
// machine's addresses change.
const renewalInterval = time.Minute

// run keeps the certificates good until ctx ends.
func (c *certificates) run(ctx context.Context) error {
	ticker := time.NewTicker(renewalInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if err := c.renew(ctx, time.Now()); err != nil && ctx.Err() == nil {
			c.log.Error("the certificate of the APIs is not as it should be", "err", err)
		}
	}
}

// renew has Fargo's own certificate made when it is due, and says what clients are to trust.
func (c *certificates) renew(ctx context.Context, now time.Time) error {
	names, err := c.names()
	if err != nil {
		return fmt.Errorf("the names of the APIs: %w", err)
	}
	due := func(r store.Reader) bool {
		own, _ := store.APICertificate(r)
		return plan.APICertificateDue(own, names, now)
	}
	if due(c.db.View()) {
		err := c.db.Update(ctx, func(tx *store.Tx) error {
			own, err := acm.IssueAPI(tx, names, now)
			if err == nil {
				store.APICertificates.Put(tx, own)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return c.inst.SetTrust(c.trust(now))
}

// trust is what clients must trust in addition to what every machine does, in PEM.
func (c *certificates) trust(now time.Time) string {
	if c.given != nil {
		return c.given.trust(now)
	}
	authority, ok := store.CertificateAuthorities.Get(c.db.View(), fargo.DefaultAccount)
	if !ok {
		authority = &record.CertificateAuthority{}
	}
	return authority.Certificate
}

// clientURL is the URL of the APIs for clients, which is the node's unless a certificate that
// was given is for other names only.
func (c *certificates) clientURL(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil || c == nil || c.given == nil {
		return endpoint, err
	}
	at, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		return "", err
	}
	hostname, err := os.Hostname()
	if err != nil {
		return "", err
	}
	u.Host = net.JoinHostPort(c.given.host(at, hostname), u.Port())
	return u.String(), nil
}
