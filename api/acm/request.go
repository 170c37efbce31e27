package acm

import (
	"cmp"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/acm"
	"fargo/record"
	"fargo/store"
)

// Bounds of a request. Source: ACM user guide, "Quotas", and ACM API,
// RequestCertificate.
const (
	maxNames       = 10
	maxFirstDomain = 64
	tokenLife      = time.Hour
)

// RequestCertificate issues a certificate, at once: there is nobody to prove the
// ownership of a domain to.
func (s *Server) RequestCertificate(ctx context.Context, in *acm.RequestCertificateInput) (*acm.RequestCertificateOutput, error) {
	names, err := checkRequest(in)
	if err != nil {
		return nil, err
	}
	at := now()
	if old := repeated(s.db.View(), api.CallFrom(ctx).Scope(), in, at); old != nil {
		return &acm.RequestCertificateOutput{CertificateArn: old.Certificate.CertificateArn}, nil
	}
	key, err := newKey(in.KeyAlgorithm)
	if err != nil {
		return nil, err
	}
	out := &acm.RequestCertificateOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		c := repeated(tx, scope, in, at)
		if c == nil {
			if c, err = issue(tx, scope, in, names, key, at); err != nil {
				return err
			}
			store.Certificates.Put(tx, c)
		}
		out.CertificateArn = c.Certificate.CertificateArn
		return nil
	})
}

// checkRequest checks a request, and gives the names it is for, each once.
func checkRequest(in *acm.RequestCertificateInput) ([]string, error) {
	switch {
	case in.CertificateAuthorityArn != nil:
		return nil, notImplemented("CertificateAuthorityArn (AWS Private CA)")
	case in.ManagedBy != "":
		return nil, notImplemented("ManagedBy")
	case in.ValidationMethod == acm.ValidationMethodHttp:
		return nil, notImplemented("the validation method HTTP")
	}
	switch in.KeyAlgorithm {
	case "":
		in.KeyAlgorithm = acm.KeyAlgorithmRsa2048
	case acm.KeyAlgorithmRsa2048, acm.KeyAlgorithmEcPrime256v1, acm.KeyAlgorithmEcSecp384r1:
	default:
		return nil, invalid("The key algorithm %s is not supported for requested certificates.", in.KeyAlgorithm)
	}
	var names []string
	for _, n := range append([]string{*in.DomainName}, in.SubjectAlternativeNames...) {
		if n = strings.ToLower(n); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	switch {
	case len(names[0]) > maxFirstDomain:
		return nil, acm.InvalidDomainValidationOptionsException("The first domain name can be no longer than %d characters.", maxFirstDomain)
	case len(names) > maxNames:
		return nil, acm.LimitExceededException("Certificate has too many domains.")
	}
	for _, o := range in.DomainValidationOptions {
		of, at := strings.ToLower(*o.DomainName), strings.ToLower(*o.ValidationDomain)
		if !slices.Contains(names, of) || base(of) != at && !strings.HasSuffix(of, "."+at) {
			return nil, acm.InvalidDomainValidationOptionsException("The validation domain '%s' is not the domain name '%s' or a superdomain of it.", *o.ValidationDomain, *o.DomainName)
		}
	}
	return names, tagRules.Check(in.Tags)
}

// base is a domain without its wildcard.
func base(name string) string { return strings.TrimPrefix(name, "*.") }

// repeated finds what a request with the same token was answered with.
func repeated(r store.Reader, scope fargo.Scope, in *acm.RequestCertificateInput, at time.Time) *record.Certificate {
	if in.IdempotencyToken == nil {
		return nil
	}
	for c := range store.Certificates.Prefix(r, scope.ARN("acm", "certificate/")) {
		if c.Token == *in.IdempotencyToken && strings.EqualFold(aws.Value(c.Certificate.DomainName), *in.DomainName) && at.Sub(*c.Certificate.CreatedAt) < tokenLife {
			return c
		}
	}
	return nil
}

func newKey(algorithm acm.KeyAlgorithm) (crypto.Signer, error) {
	switch algorithm {
	case acm.KeyAlgorithmEcPrime256v1:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case acm.KeyAlgorithmEcSecp384r1:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	}
	return rsa.GenerateKey(rand.Reader, 2048)
}

// issue makes the certificate of a checked request.
func issue(tx *store.Tx, scope fargo.Scope, in *acm.RequestCertificateInput, names []string, key crypto.Signer, at time.Time) (*record.Certificate, error) {
	c, err := sign(tx, scope, names, key, at)
	if err != nil {
		return nil, err
	}
	c.Tags, c.Token = in.Tags, aws.Value(in.IdempotencyToken)
	d := &c.Certificate
	d.CertificateArn, d.CreatedAt = new(newARN(scope)), &at
	d.DomainValidationOptions = validations(scope, in, names)
	d.Options = &acm.CertificateOptions{
		CertificateTransparencyLoggingPreference: acm.CertificateTransparencyLoggingPreferenceEnabled, Export: acm.CertificateExportDisabled,
	}
	if o := in.Options; o != nil {
		d.Options.CertificateTransparencyLoggingPreference = cmp.Or(o.CertificateTransparencyLoggingPreference, d.Options.CertificateTransparencyLoggingPreference)
		d.Options.Export = cmp.Or(o.Export, d.Options.Export)
	}
	return c, nil
}

// sign makes a certificate for names, which has no ARN yet.
func sign(tx *store.Tx, scope fargo.Scope, names []string, key crypto.Signer, at time.Time) (*record.Certificate, error) {
	a, err := openAuthority(tx, scope.Account, at)
	if err != nil {
		return nil, fmt.Errorf("open the certificate authority: %w", err)
	}
	body, err := a.issue(key, names, nil, at)
	if err != nil {
		return nil, fmt.Errorf("issue a certificate: %w", err)
	}
	private, err := encodeKey(key)
	if err != nil {
		return nil, fmt.Errorf("issue a certificate: %w", err)
	}
	p, err := parse([]byte(body), []byte(private), []byte(a.pem), at)
	if err != nil {
		return nil, fmt.Errorf("issue a certificate: %w", err)
	}
	c := &record.Certificate{Scope: scope, Certificate: p.detail(), Body: body, Chain: a.pem, PrivateKey: private}
	c.Certificate.Type, c.Certificate.IssuedAt = acm.CertificateTypeAmazonIssued, &at
	return c, nil
}

// validations show how the ownership of each name was proven: it was taken for
// granted.
func validations(scope fargo.Scope, in *acm.RequestCertificateInput, names []string) []acm.DomainValidation {
	method := in.ValidationMethod
	if method == "" {
		method = acm.ValidationMethodEmail
	}
	var out []acm.DomainValidation
	for _, n := range names {
		v := acm.DomainValidation{DomainName: &n, ValidationMethod: method, ValidationStatus: acm.DomainStatusSuccess, ValidationDomain: new(n)}
		for _, o := range in.DomainValidationOptions {
			if strings.EqualFold(*o.DomainName, n) {
				v.ValidationDomain = o.ValidationDomain
			}
		}
		switch method {
		case acm.ValidationMethodDns:
			v.ResourceRecord = validationRecord(scope, base(n))
		case acm.ValidationMethodEmail:
			v.ValidationEmails = []string{} // as recorded
		}
		out = append(out, v)
	}
	return out
}

// validationRecord is the DNS record that proves the ownership of a domain. It is the same
// for an account whenever it asks.
func validationRecord(scope fargo.Scope, name string) *acm.ResourceRecord {
	sum := sha256.Sum256([]byte(scope.Account + "/" + name))
	h := hex.EncodeToString(sum[:])
	return &acm.ResourceRecord{
		Type: acm.RecordTypeCname, Name: new("_" + h[:32] + "." + name + "."), Value: new("_" + h[32:] + ".fargo.acm-validations.aws."),
	}
}
