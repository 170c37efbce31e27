package acm_test

import (
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
		ca, err := acm.CACertificate(t.Context(), db, home.Account)
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
	if d.Status != wire.CertificateStatusIssued || d.Type != wire.CertificateTypeAmazonIssued || d.KeyAlgorithm != algorithm || *d.DomainName != "*.example.test" {
		t.Errorf("described as %s, %s, %s, %s", d.Status, d.Type, d.KeyAlgorithm, *d.DomainName)
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

// TestListPages holds that pages of any size are the whole list.
func TestListPages(t *testing.T) {
	s, ctx := acm.New(open(t)), caller(t.Context())
	want := 5
	for range want {
		if _, err := importFiles(ctx, s, []string{"leaf.pem", "leaf.key", "ca.pem"}); err != nil {
			t.Fatal(err)
		}
	}
	for size := int32(1); size <= int32(want)+1; size++ {
		seen := map[string]bool{}
		in := &wire.ListCertificatesInput{MaxItems: &size}
		for {
			out, err := s.ListCertificates(ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range out.CertificateSummaryList {
				seen[*c.CertificateArn] = true
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				break
			}
		}
		if len(seen) != want {
			t.Errorf("pages of %d have %d certificates", size, len(seen))
		}
	}
}
