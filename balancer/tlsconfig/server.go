package tlsconfig

import (
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"

	"fargo/desired"
	"fargo/secret"
)

// Secrets are those that the listeners of a server share. They are never logged.
type Secrets struct {
	Tickets []secret.Text                    // see [ServerConfig.SetTickets]
	Keys    map[desired.SecretID]secret.Text // of certificates
}

// ServerConfig is what a listener's TLS was compiled to, and from what.
type ServerConfig struct {
	TLS *tls.Config
	// Err is what is wrong with it. The rest can be used.
	Err error

	arns         []string // of TLS.Certificates
	certificates []desired.Certificate
	policy       string
	offered      []string
}

// Compile compiles a listener's TLS, with the protocols of ALPN that it offers, the
// preferred first, and the keys that there are.
func Compile(l *desired.BalancerListener, offered []string, keys map[desired.SecretID]secret.Text) *ServerConfig {
	t := &ServerConfig{certificates: l.Certificates, policy: l.SSLPolicy, offered: offered}
	t.TLS, t.arns, t.Err = compileTLS(l, offered, keys)
	return t
}

// Matches reports whether t is what a listener's TLS would be compiled to. What has
// something wrong is compiled again: a key may have come since.
func (t *ServerConfig) Matches(l *desired.BalancerListener, offered []string) bool {
	return t.Err == nil && t.policy == l.SSLPolicy && slices.Equal(t.offered, offered) && slices.Equal(t.certificates, l.Certificates)
}

// SetTickets has the listener's clients resume sessions that any server began
// that has the same secrets. The keys are the listener's own: a session is
// worth nothing where other certificates are shown.
func (t *ServerConfig) SetTickets(listener string, secrets []secret.Text) error {
	if len(secrets) == 0 {
		return nil // keys of its own
	}
	parts := []string{"session tickets", listener, t.policy}
	for _, c := range t.certificates {
		parts = append(parts, c.Chain)
	}
	keys := make([][32]byte, len(secrets))
	for i, s := range secrets {
		key, err := hkdf.Key(sha256.New, []byte(s.Reveal()), nil, strings.Join(parts, "\x00"), len(keys[i]))
		if err != nil {
			return fmt.Errorf("session tickets: %w", err)
		}
		keys[i] = [32]byte(key)
	}
	t.TLS.SetSessionTicketKeys(keys)
	return nil
}

// compileTLS makes the configuration. Certificates that do not parse, or whose key is
// not there, are left out, and told in the error; arns are those of the others.
func compileTLS(l *desired.BalancerListener, offered []string, keys map[desired.SecretID]secret.Text) (config *tls.Config, arns []string, err error) {
	var errs []error
	config = &tls.Config{NextProtos: offered}
	if l.Protocol == "TLS" {
		config.GetConfigForClient = tellHello
	}
	config.MinVersion, config.MaxVersion = versionsOf(l.SSLPolicy)
	for _, pair := range l.Certificates {
		certificate, err := tls.X509KeyPair([]byte(pair.Chain), []byte(keys[pair.KeyID].Reveal()))
		if err != nil {
			errs = append(errs, fmt.Errorf("certificate %s: %w", pair.ARN, err))
			continue
		}
		config.Certificates = append(config.Certificates, certificate)
		arns = append(arns, pair.ARN)
	}
	if len(config.Certificates) == 0 {
		errs = append(errs, errors.New("no certificate that can be used"))
	}
	return config, arns, errors.Join(errs...)
}

// versionsOf are the versions of TLS that a security policy allows, which its
// name tells: "ELBSecurityPolicy-TLS13-1-2-2021-06" is TLS 1.2 to 1.3.
// Source: ALB user guide, "Security policies for your Application Load
// Balancer".
func versionsOf(policy string) (lowest, highest uint16) {
	lowest, highest = tls.VersionTLS10, tls.VersionTLS12
	name := strings.TrimPrefix(policy, "ELBSecurityPolicy-")
	if rest, ok := strings.CutPrefix(name, "TLS13-"); ok {
		name, highest = rest, tls.VersionTLS13
	} else {
		name = strings.TrimPrefix(strings.TrimPrefix(name, "TLS-"), "FS-")
	}
	switch {
	case strings.HasPrefix(name, "1-3"):
		lowest = tls.VersionTLS13
	case strings.HasPrefix(name, "1-2"):
		lowest = tls.VersionTLS12
	case strings.HasPrefix(name, "1-1"):
		lowest = tls.VersionTLS11
	}
	return lowest, highest
}

// CertificateARN is the ARN of the certificate that clients who ask for a name are
// shown; empty when there is none.
func (t *ServerConfig) CertificateARN(sni string) string {
	if t == nil || len(t.arns) == 0 {
		return ""
	}
	for i, c := range t.TLS.Certificates {
		if sni != "" && c.Leaf.VerifyHostname(sni) == nil {
			return t.arns[i]
		}
	}
	return t.arns[0]
}

// tellHello tells a connection that has a method ClientHello what its client says
// first, and leaves the configuration as it is. It is a GetConfigForClient.
func tellHello(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	if c, ok := hello.Conn.(interface{ ClientHello(*tls.ClientHelloInfo) }); ok {
		c.ClientHello(hello)
	}
	return nil, nil
}
