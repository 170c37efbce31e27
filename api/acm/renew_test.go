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

// TestExport holds that a certificate can be exported if that was asked for, that
// the list says so, and that it is renewed then although nobody here uses it.
func TestExport(t *testing.T) {
	s, ctx := acm.New(open(t)), caller(t.Context())
	request := func(export wire.CertificateExport) *string {
		out, err := s.RequestCertificate(ctx, &wire.RequestCertificateInput{
			DomainName: new("a.test"), KeyAlgorithm: wire.KeyAlgorithmEcPrime256v1, Options: &wire.CertificateOptions{Export: export},
		})
		if err != nil {
			t.Fatal(err)
		}
		return out.CertificateArn
	}
	export := func(arn *string, passphrase string) (*wire.ExportCertificateOutput, error) {
		return s.ExportCertificate(ctx, &wire.ExportCertificateInput{CertificateArn: arn, Passphrase: []byte(passphrase)})
	}
	kept, arn := request(""), request(wire.CertificateExportEnabled)
	if _, err := export(kept, "open-sesame"); err == nil {
		t.Error("a certificate is exported that nobody wanted to export")
	}
	if _, err := export(arn, "100 %"); err == nil {
		t.Error("a passphrase with a percent sign is taken")
	}
	if _, err := s.RenewCertificate(ctx, &wire.RenewCertificateInput{CertificateArn: arn}); err == nil {
		t.Error("a certificate is renewed that nobody has")
	}
	first, err := export(arn, "open-sesame")
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.ListCertificates(ctx, &wire.ListCertificatesInput{
		Includes: &wire.Filters{ExportOption: wire.CertificateExportEnabled, KeyTypes: []wire.KeyAlgorithm{wire.KeyAlgorithmEcPrime256v1}},
	})
	if err != nil || len(list.CertificateSummaryList) != 1 || !*list.CertificateSummaryList[0].Exported {
		t.Errorf("listed as %+v (%v)", list, err)
	}
	if _, err := s.RenewCertificate(ctx, &wire.RenewCertificateInput{CertificateArn: arn}); err != nil {
		t.Error(err)
	}
	second, err := export(arn, "open-sesame")
	if err != nil || *second.Certificate == *first.Certificate {
		t.Errorf("the old certificate is exported after it was renewed (%v)", err)
	}
	if _, err := s.UpdateCertificateOptions(ctx, &wire.UpdateCertificateOptionsInput{
		CertificateArn: arn, Options: &wire.CertificateOptions{Export: wire.CertificateExportDisabled},
	}); err == nil {
		t.Error("an exportable certificate is made one that is not")
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
