package acm_test

import (
	"crypto/tls"
	"crypto/x509"
	"testing"

	"fargo/api/acm"
	wire "fargo/aws/acm"
	"fargo/store"
)

// TestRenew holds that a certificate in use is issued anew under its own ARN,
// with another key and what its owner said of it, and that no other is.
func TestRenew(t *testing.T) {
	db := open(t)
	s, ctx := acm.New(db), caller(t.Context())
	out, err := s.RequestCertificate(ctx, &wire.RequestCertificateInput{
		DomainName: new("a.test"), SubjectAlternativeNames: []string{"*.a.test"}, KeyAlgorithm: wire.KeyAlgorithmEcPrime256v1,
		ValidationMethod: wire.ValidationMethodDns, Tags: []wire.Tag{{Key: new("k"), Value: new("v")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	arn := *out.CertificateArn
	if _, err := s.RenewCertificate(ctx, &wire.RenewCertificateInput{CertificateArn: &arn}); err == nil {
		t.Error("a certificate is renewed that nobody uses")
	}
	if err := listen(t.Context(), db, arn); err != nil {
		t.Fatal(err)
	}
	before, _ := store.Certificates.Get(db.View(), arn)
	if _, err := s.RenewCertificate(ctx, &wire.RenewCertificateInput{CertificateArn: &arn}); err != nil {
		t.Fatal(err)
	}
	after, _ := store.Certificates.Get(db.View(), arn)
	if *after.Certificate.Serial == *before.Certificate.Serial || after.PrivateKey == before.PrivateKey {
		t.Error("it is the old certificate")
	}
	if !after.Certificate.CreatedAt.Equal(*before.Certificate.CreatedAt) || len(after.Tags) != 1 || len(after.Certificate.DomainValidationOptions) != 2 {
		t.Errorf("something of the old certificate is lost: %+v", after)
	}
	pair, err := tls.X509KeyPair([]byte(after.Body), []byte(after.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(before.Chain))
	for _, name := range []string{"a.test", "b.a.test"} {
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots}); err != nil {
			t.Error(err)
		}
	}
	d, err := s.DescribeCertificate(ctx, &wire.DescribeCertificateInput{CertificateArn: &arn})
	if err != nil {
		t.Fatal(err)
	}
	if c := d.Certificate; c.RenewalEligibility != wire.RenewalEligibilityEligible || c.RenewalSummary.RenewalStatus != wire.RenewalStatusSuccess {
		t.Errorf("described as %s, renewed with %s", c.RenewalEligibility, c.RenewalSummary.RenewalStatus)
	}
}

// TestOptions holds that the options of a certificate are what was said last.
func TestOptions(t *testing.T) {
	s, ctx := acm.New(open(t)), caller(t.Context())
	out, err := s.RequestCertificate(ctx, &wire.RequestCertificateInput{DomainName: new("a.test"), KeyAlgorithm: wire.KeyAlgorithmEcPrime256v1})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []wire.CertificateTransparencyLoggingPreference{
		wire.CertificateTransparencyLoggingPreferenceDisabled, wire.CertificateTransparencyLoggingPreferenceEnabled,
	} {
		if _, err := s.UpdateCertificateOptions(ctx, &wire.UpdateCertificateOptionsInput{
			CertificateArn: out.CertificateArn, Options: &wire.CertificateOptions{CertificateTransparencyLoggingPreference: p},
		}); err != nil {
			t.Fatal(err)
		}
		d, err := s.DescribeCertificate(ctx, &wire.DescribeCertificateInput{CertificateArn: out.CertificateArn})
		if err != nil || d.Certificate.Options.CertificateTransparencyLoggingPreference != p {
			t.Errorf("described as %v, not %s (%v)", d.Certificate.Options, p, err)
		}
	}
}
