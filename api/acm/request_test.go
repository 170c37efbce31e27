package acm_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strings"
	"testing"

	"fargo/api/acm"
	wire "fargo/aws/acm"
	"fargo/store"
)

// TestRequest asks for certificates and holds: what comes back is issued, good
// for each name asked for, to a client that trusts the authority and no other,
// and has its private key.
func TestRequest(t *testing.T) {
	db := open(t)
	s, ctx := acm.New(db), caller(t.Context())
	for _, algorithm := range []wire.KeyAlgorithm{"", wire.KeyAlgorithmEcPrime256v1, wire.KeyAlgorithmEcSecp384r1} {
		out, err := s.RequestCertificate(ctx, &wire.RequestCertificateInput{
			DomainName: new("*.example.test"), SubjectAlternativeNames: []string{"example.test", "*.example.test", "Other.test"},
			ValidationMethod: wire.ValidationMethodDns, KeyAlgorithm: algorithm,
		})
		if err != nil {
			t.Fatal(err)
		}
		described, err := s.DescribeCertificate(ctx, &wire.DescribeCertificateInput{CertificateArn: out.CertificateArn})
		if err != nil {
			t.Fatal(err)
		}
		checkIssued(t, described.Certificate, algorithm)

		got, err := s.GetCertificate(ctx, &wire.GetCertificateInput{CertificateArn: out.CertificateArn})
		if err != nil {
			t.Fatal(err)
		}
		ca, err := acm.CACertificate(t.Context(), db, testScope.Account)
		if err != nil || ca != *got.CertificateChain {
			t.Fatalf("the chain is not the authority's certificate: %v", err)
		}
		record, _ := store.Certificates.Get(db.View(), *out.CertificateArn)
		pair, err := tls.X509KeyPair([]byte(*got.Certificate), []byte(record.PrivateKey))
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM([]byte(ca))
		for name, good := range map[string]bool{"a.example.test": true, "example.test": true, "other.test": true, "b.other.test": false} {
			_, err := pair.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots})
			if good != (err == nil) {
				t.Errorf("%s: verified with %v", name, err)
			}
		}
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: x509.NewCertPool()}); err == nil {
			t.Error("trusted without the authority")
		}
	}
}

func checkIssued(t *testing.T, d *wire.CertificateDetail, algorithm wire.KeyAlgorithm) {
	t.Helper()
	if algorithm == "" {
		algorithm = wire.KeyAlgorithmRsa2048
	}
	if d.Status != wire.CertificateStatusIssued || d.Type != wire.CertificateTypeAmazonIssued || string(d.KeyAlgorithm) != strings.ReplaceAll(string(algorithm), "_", "-") || *d.DomainName != "*.example.test" ||
		d.CertificateKeyPairOrigin != wire.CertificateKeyPairOriginAwsManaged {
		t.Errorf("described as %s, %s, %s, %s, %s", d.Status, d.Type, d.KeyAlgorithm, *d.DomainName, d.CertificateKeyPairOrigin)
	}
	if want := []string{"*.example.test", "example.test", "other.test"}; !slices.Equal(d.SubjectAlternativeNames, want) {
		t.Errorf("names are %q", d.SubjectAlternativeNames)
	}
	if len(d.DomainValidationOptions) != 3 {
		t.Fatalf("%d validations", len(d.DomainValidationOptions))
	}
	a, b := d.DomainValidationOptions[0].ResourceRecord, d.DomainValidationOptions[1].ResourceRecord
	if *a.Name != *b.Name || *a.Value != *b.Value || !strings.HasSuffix(*a.Name, ".example.test.") {
		t.Errorf("a wildcard's record is not its domain's: %s, %s", *a.Name, *b.Name)
	}
}

// TestRequestAgain holds that a token stands for one certificate.
func TestRequestAgain(t *testing.T) {
	s, ctx := acm.New(open(t)), caller(t.Context())
	ask := func(domain, token string) string {
		out, err := s.RequestCertificate(ctx, &wire.RequestCertificateInput{
			DomainName: &domain, IdempotencyToken: &token, KeyAlgorithm: wire.KeyAlgorithmEcPrime256v1,
		})
		if err != nil {
			t.Fatal(err)
		}
		return *out.CertificateArn
	}
	first := ask("a.test", "t")
	if ask("a.test", "t") != first {
		t.Error("the same request made another certificate")
	}
	if ask("b.test", "t") == first || ask("a.test", "u") == first {
		t.Error("another request made no certificate")
	}
}

// TestListPages holds that pages of any size are the whole list, in whatever
// order.
func TestListPages(t *testing.T) {
	s, ctx := acm.New(open(t)), caller(t.Context())
	want := 5
	for range want {
		if _, err := importFiles(ctx, s, []string{"leaf.pem", "leaf.key", "ca.pem"}); err != nil {
			t.Fatal(err)
		}
	}
	for size := int32(1); size <= int32(want)+1; size++ {
		for _, in := range []wire.ListCertificatesInput{
			{}, {SortBy: wire.SortByCreatedAt, SortOrder: wire.SortOrderAscending}, {SortBy: wire.SortByCreatedAt, SortOrder: wire.SortOrderDescending},
		} {
			in.MaxItems = &size
			seen := map[string]bool{}
			walk(ctx, t, s, in, func(arn string) { seen[arn] = true })
			if len(seen) != want {
				t.Errorf("pages of %d have %d certificates", size, len(seen))
			}
		}
	}
}

// TestDeletePages holds that who deletes what each page shows deletes all.
func TestDeletePages(t *testing.T) {
	s, ctx := acm.New(open(t)), caller(t.Context())
	for _, order := range []wire.SortOrder{"", wire.SortOrderAscending, wire.SortOrderDescending} {
		for range 5 {
			if _, err := importFiles(ctx, s, []string{"leaf.pem", "leaf.key", "ca.pem"}); err != nil {
				t.Fatal(err)
			}
		}
		in := wire.ListCertificatesInput{MaxItems: new(int32(2)), SortOrder: order}
		if order != "" {
			in.SortBy = wire.SortByCreatedAt
		}
		deleted := 0
		walk(ctx, t, s, in, func(arn string) {
			if _, err := s.DeleteCertificate(ctx, &wire.DeleteCertificateInput{CertificateArn: &arn}); err != nil {
				t.Fatal(err)
			}
			deleted++
		})
		if deleted != 5 {
			t.Errorf("%d of 5 certificates are deleted in the order %q", deleted, order)
		}
	}
}

// walk shows visit the ARNs of all pages of a list.
func walk(ctx context.Context, t *testing.T, s *acm.Server, in wire.ListCertificatesInput, visit func(arn string)) {
	t.Helper()
	for {
		out, err := s.ListCertificates(ctx, &in)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range out.CertificateSummaryList {
			visit(*c.CertificateArn)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return
		}
	}
}
