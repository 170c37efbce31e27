package acm_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"fargo/api/acm"
	wire "fargo/aws/acm"
)

// TestReimport holds that a certificate may be good for more than the one it
// replaces, and for no less.
func TestReimport(t *testing.T) {
	s, ctx := acm.New(open(t)), caller(t.Context())
	const sign, agree = x509.KeyUsageDigitalSignature, x509.KeyUsageKeyAgreement
	server, client := []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	in := selfSigned(t, sign, server)
	out, err := s.ImportCertificate(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		usage    x509.KeyUsage
		extended []x509.ExtKeyUsage
		good     bool
	}{
		{sign | agree, client, true},
		{sign | agree, server, false},
		{sign, client, false},
		{sign | agree, nil, false},
		{sign | agree, client, true},
	} {
		in := selfSigned(t, c.usage, c.extended)
		in.CertificateArn = out.CertificateArn
		if _, err := s.ImportCertificate(ctx, in); c.good != (err == nil) {
			t.Errorf("usage %b, %v: %v", c.usage, c.extended, err)
		}
	}
}

// selfSigned is a certificate of a key of its own, as it is imported.
func selfSigned(t *testing.T, usage x509.KeyUsage, extended []x509.ExtKeyUsage) *wire.ImportCertificateInput {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a.test"}, KeyUsage: usage, ExtKeyUsage: extended,
		NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return &wire.ImportCertificateInput{
		Certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		PrivateKey:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	}
}
