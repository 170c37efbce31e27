package balancer

import (
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"fargo/desired"
	"fargo/secret"
)

// originOf says where a client's requests come from. state is nil without TLS.
func originOf(address netip.AddrPort, state *tls.ConnectionState) origin {
	o := origin{peer: address, address: address.Addr().String(), port: strconv.Itoa(int(address.Port()))}
	if state != nil {
		o.sni = state.ServerName
		o.tlsVersion = strings.Replace(tls.VersionName(state.Version), "TLS ", "TLSv", 1)
		o.cipherSuite = openSSLName(tls.CipherSuiteName(state.CipherSuite))
	}
	return o
}

// openSSLName is what OpenSSL, and so AWS, calls a cipher suite of this name.
// Those of TLS 1.3 have one name. Source: openssl-ciphers(1), "CIPHER SUITE
// NAMES".
func openSSLName(name string) string {
	exchange, cipher, older := strings.Cut(strings.TrimPrefix(name, "TLS_"), "_WITH_")
	if !older {
		return name
	}
	cipher = openSSLCipher.Replace(cipher)
	if exchange == "RSA" {
		return cipher
	}
	return strings.ReplaceAll(exchange, "_", "-") + "-" + cipher
}

var openSSLCipher = strings.NewReplacer("3DES_EDE_CBC", "DES-CBC3", "AES_128_CBC", "AES128", "AES_256_CBC", "AES256",
	"AES_128", "AES128", "AES_256", "AES256", "RC4_128", "RC4", "POLY1305_SHA256", "POLY1305", "_", "-")

// noteTLS notes what was agreed on a client's connection.
func (x *exchange) noteTLS(from *origin) {
	x.connection = from.connection
	x.TLS = from.tlsVersion != ""
	x.tlsVersion, x.cipher, x.sni = from.tlsVersion, from.cipherSuite, from.sni
}

// tlsSecrets are what a server's listeners share of secrets.
type tlsSecrets struct {
	tickets [][]byte // see [Server.SetTickets]
	keys    map[desired.SecretID]secret.Text
}

// tlsTerms are what a listener's TLS was compiled to, and of what.
type tlsTerms struct {
	certificates []desired.Certificate
	policy       string
	offered      []string
	config       *tls.Config
	arns         []string
	err          error
}

// termsOf compiles a listener's TLS, or gives what it was compiled to before:
// clients may then resume their sessions.
func (b *balancer) termsOf(l *desired.BalancerListener, offered []string, secrets tlsSecrets) (*tlsTerms, error) {
	t := b.tls[l.ARN]
	if t != nil && t.err == nil && t.policy == l.SSLPolicy && slices.Equal(t.offered, offered) && slices.Equal(t.certificates, l.Certificates) {
		return t, nil
	}
	t = &tlsTerms{certificates: l.Certificates, policy: l.SSLPolicy, offered: offered}
	t.config, t.arns, t.err = compileTLS(l, offered, secrets.keys)
	b.tls[l.ARN] = t
	return t, errors.Join(t.err, t.setTickets(l.ARN, secrets.tickets))
}

// setTickets has the listener's clients resume sessions that any server began
// that has the same secrets. The keys are the listener's own: a session is
// worth nothing where other certificates are shown.
func (t *tlsTerms) setTickets(listener string, secrets [][]byte) error {
	if len(secrets) == 0 {
		return nil // keys of its own
	}
	terms := []string{"session tickets", listener, t.policy}
	for _, c := range t.certificates {
		terms = append(terms, c.Chain)
	}
	keys := make([][32]byte, len(secrets))
	for i, secret := range secrets {
		key, err := hkdf.Key(sha256.New, secret, nil, strings.Join(terms, "\x00"), len(keys[i]))
		if err != nil {
			return fmt.Errorf("session tickets: %w", err)
		}
		keys[i] = [32]byte(key)
	}
	t.config.SetSessionTicketKeys(keys)
	return nil
}

// compileTLS reads what a listener's TLS is made of. Certificates that do not
// parse, or whose key is not there, are left out and told; arns are of the others.
func compileTLS(l *desired.BalancerListener, offered []string, keys map[desired.SecretID]secret.Text) (config *tls.Config, arns []string, err error) {
	var errs []error
	config = &tls.Config{NextProtos: offered}
	if l.Protocol == "TLS" {
		config.GetConfigForClient = noteHello
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

// certificate is the ARN of the one that clients asking for a name are shown.
func (l *listener) certificate(sni string) string {
	if l.tls == nil || len(l.certificates) == 0 {
		return ""
	}
	for i, c := range l.tls.Certificates {
		if sni != "" && c.Leaf.VerifyHostname(sni) == nil {
			return l.certificates[i]
		}
	}
	return l.certificates[0]
}
