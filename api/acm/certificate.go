package acm

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"strconv"
	"strings"
	"time"

	"fargo/aws/acm"
)

// parsed is a certificate with what belongs to it, understood and checked.
type parsed struct {
	leaf      *x509.Certificate
	chain     []*x509.Certificate
	algorithm acm.KeyAlgorithm
}

// parse reads what ImportCertificate is given, in PEM. chain may be empty.
// Source: ACM user guide, "Prerequisites for importing ACM certificates".
func parse(body, key, chain []byte, at time.Time) (*parsed, error) {
	leaves, err := parseCertificates("certificate", body)
	switch {
	case err != nil:
		return nil, err
	case len(leaves) != 1:
		return nil, invalid("The certificate field contains more than one certificate. You can specify only one certificate in this field.")
	}
	p := &parsed{leaf: leaves[0]}
	if len(chain) > 0 {
		if p.chain, err = parseCertificates("certificate chain", chain); err != nil {
			return nil, err
		}
	}
	signer, err := parseKey(key)
	if err != nil {
		return nil, err
	}
	public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(p.leaf.PublicKey) {
		return nil, invalid("The private key does not match the certificate.")
	}
	if p.algorithm, err = keyAlgorithm(p.leaf); err != nil {
		return nil, err
	}
	if at.Before(p.leaf.NotBefore) || at.After(p.leaf.NotAfter) {
		return nil, invalid("The certificate is not valid at this time: it must be from %s until %s.", p.leaf.NotBefore.Format(time.RFC3339), p.leaf.NotAfter.Format(time.RFC3339))
	}
	return p, p.checkChain()
}

// checkChain makes sure that each certificate was signed with the next one's
// key, or the certificate with its own.
func (p *parsed) checkChain() error {
	if len(p.chain) == 0 {
		if !signedBy(p.leaf, p.leaf) {
			return invalid("Provided certificate is not a valid self signed. Please provide either a valid self-signed certificate or certificate chain.")
		}
		return nil
	}
	c := p.leaf
	for _, next := range p.chain {
		if !signedBy(c, next) {
			return invalid("Could not validate the certificate with the certificate chain.")
		}
		c = next
	}
	return nil
}

// signedBy does not ask, unlike x509, that the issuer be an authority: a
// self-signed certificate is usually none.
func signedBy(c, issuer *x509.Certificate) bool {
	return bytes.Equal(c.RawIssuer, issuer.RawSubject) &&
		issuer.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

func parseCertificates(what string, data []byte) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if block.Type != "CERTIFICATE" || err != nil {
			return nil, invalid("The %s is not valid: it must hold X.509 certificates in PEM format.", what)
		}
		out, data = append(out, c), rest
	}
	if len(out) == 0 || len(bytes.TrimSpace(data)) > 0 {
		return nil, invalid("The %s is not in PEM format.", what)
	}
	return out, nil
}

// parseKey reads a private key as OpenSSL writes it in its several ways.
func parseKey(data []byte) (crypto.Signer, error) {
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			return nil, invalid("The private key is not in PEM format.")
		}
		data = rest
		if block.Type == "EC PARAMETERS" {
			continue // OpenSSL writes them before the key
		}
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return nil, invalid("Passed PEM was not a private key.")
		}
		if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return nil, invalid("The private key is encrypted. You must provide an unencrypted private key.")
		}
		if k, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			return k, nil
		}
		if k, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
			return k, nil
		}
		if k, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			if s, ok := k.(crypto.Signer); ok {
				return s, nil
			}
		}
		return nil, invalid("The private key is not supported.")
	}
}

// keyAlgorithm is ACM's name of a key's kind.
// Source: ACM API, CertificateDetail.KeyAlgorithm.
func keyAlgorithm(c *x509.Certificate) (acm.KeyAlgorithm, error) {
	name := acm.KeyAlgorithm("")
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		name = acm.KeyAlgorithm("RSA_" + strconv.Itoa(k.N.BitLen()))
	case *ecdsa.PublicKey:
		name = map[int]acm.KeyAlgorithm{
			256: acm.KeyAlgorithmEcPrime256v1, 384: acm.KeyAlgorithmEcSecp384r1, 521: acm.KeyAlgorithmEcSecp521r1,
		}[k.Curve.Params().BitSize]
	}
	switch name {
	case acm.KeyAlgorithmRsa1024, acm.KeyAlgorithmRsa2048, acm.KeyAlgorithmRsa3072, acm.KeyAlgorithmRsa4096,
		acm.KeyAlgorithmEcPrime256v1, acm.KeyAlgorithmEcSecp384r1, acm.KeyAlgorithmEcSecp521r1:
		return name, nil
	}
	return "", invalid("The key algorithm of the certificate is not supported.")
}

// detail is what Describe shows of a certificate, as far as it says so itself.
func (p *parsed) detail() acm.CertificateDetail {
	c := p.leaf
	d := acm.CertificateDetail{
		SubjectAlternativeNames: names(c), Serial: new(serial(c)), Subject: new(distinguished(c.Subject)), Issuer: new(issuer(c)),
		NotBefore: new(c.NotBefore.UTC()), NotAfter: new(c.NotAfter.UTC()), KeyAlgorithm: p.algorithm,
		SignatureAlgorithm: new(signature(c)), Status: acm.CertificateStatusIssued,
		KeyUsages: keyUsages(c), ExtendedKeyUsages: extendedKeyUsages(c),
	}
	domain := c.Subject.CommonName
	if domain == "" && len(d.SubjectAlternativeNames) > 0 {
		domain = d.SubjectAlternativeNames[0]
	}
	if domain != "" {
		d.DomainName = &domain
	}
	return d
}

// names are those a certificate is for, the common name among them.
func names(c *x509.Certificate) []string {
	out := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		out = append(out, ip.String())
	}
	if len(out) == 0 && c.Subject.CommonName != "" {
		out = append(out, c.Subject.CommonName)
	}
	return out
}

// serial is written "0a:1b:…".
func serial(c *x509.Certificate) string {
	digits := hex.EncodeToString(c.SerialNumber.Bytes())
	var pairs []string
	for ; len(digits) >= 2; digits = digits[2:] {
		pairs = append(pairs, digits[:2])
	}
	return strings.Join(pairs, ":")
}

// distinguished writes a name in the order in which certificates have it.
func distinguished(n pkix.Name) string {
	var parts []string
	add := func(key string, values ...string) {
		for _, v := range values {
			if v != "" {
				parts = append(parts, key+"="+v)
			}
		}
	}
	add("C", n.Country...)
	add("ST", n.Province...)
	add("L", n.Locality...)
	add("O", n.Organization...)
	add("OU", n.OrganizationalUnit...)
	add("CN", n.CommonName)
	return strings.Join(parts, ",")
}

// issuer is the organization that issued a certificate, or its common name.
func issuer(c *x509.Certificate) string {
	if len(c.Issuer.Organization) > 0 {
		return c.Issuer.Organization[0]
	}
	return c.Issuer.CommonName
}

// signature is the signature's algorithm in ACM's style: "SHA256WITHRSA".
func signature(c *x509.Certificate) string {
	hash, key, ok := strings.Cut(c.SignatureAlgorithm.String(), "-")
	switch {
	case !ok:
		return strings.ToUpper(hash)
	case hash == "ECDSA":
		hash, key = key, hash
	}
	return strings.ToUpper(hash) + "WITH" + strings.ToUpper(key)
}
