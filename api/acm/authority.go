package acm

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"

	"fargo/record"
	"fargo/store"
)

// How long certificates are good for: the authority's, and those it issues.
// Source: ACM user guide, "Certificate characteristics": 13 months.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	issuedLife    = 395 * 24 * time.Hour
	clockSkew     = time.Hour // clients' clocks may be behind by this much
)

// CACertificate is the certificate, in PEM, of the authority that issues what is
// asked for in an account: what a client's trust store needs. The authority is
// made when there is none yet.
func CACertificate(ctx context.Context, db *store.DB, account string) (string, error) {
	if a, ok := store.CertificateAuthorities.Get(db.View(), account); ok {
		return a.Certificate, nil
	}
	var a *authority
	err := db.Update(ctx, func(tx *store.Tx) (err error) {
		a, err = openAuthority(tx, account, now())
		return err
	})
	if err != nil {
		return "", fmt.Errorf("make a certificate authority: %w", err)
	}
	return a.pem, nil
}

// authority can issue certificates.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
	pem         string // of the certificate
}

// openAuthority gives an account's authority, which it makes when there is none.
func openAuthority(tx *store.Tx, account string, at time.Time) (*authority, error) {
	record, ok := store.CertificateAuthorities.Get(tx, account)
	if !ok {
		var err error
		if record, err = newAuthority(account, at); err != nil {
			return nil, err
		}
		store.CertificateAuthorities.Put(tx, record)
	}
	certificates, err := parseCertificates("authority's certificate", []byte(record.Certificate))
	if err != nil {
		return nil, err
	}
	key, err := parseKey([]byte(record.PrivateKey))
	if err != nil {
		return nil, err
	}
	return &authority{certificates[0], key, record.Certificate}, nil
}

func newAuthority(account string, at time.Time) (*record.CertificateAuthority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: newSerial(),
		Subject:      pkix.Name{Organization: []string{"Fargo"}, CommonName: "Fargo CA " + account},
		NotBefore:    at.Add(-clockSkew), NotAfter: at.Add(authorityLife),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	private, err := encodeKey(key)
	if err != nil {
		return nil, err
	}
	return &record.CertificateAuthority{Account: account, Certificate: encodeCertificate(der), PrivateKey: private}, nil
}

// issue makes a certificate of a key for names, the first of which is the
// subject's, and for addresses, in PEM.
func (a *authority) issue(key crypto.Signer, names []string, addresses []net.IP, at time.Time) (string, error) {
	template := &x509.Certificate{
		SerialNumber: newSerial(), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names, IPAddresses: addresses,
		NotBefore: at.Add(-clockSkew), NotAfter: at.Add(issuedLife), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if _, ok := key.Public().(*ecdsa.PublicKey); !ok {
		template.KeyUsage |= x509.KeyUsageKeyEncipherment
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return "", err
	}
	return encodeCertificate(der), nil
}

// newSerial is a random serial number. Source: RFC 5280, 4.1.2.2.
func newSerial() *big.Int {
	b := make([]byte, 16)
	rand.Read(b)          // never fails: see crypto/rand
	b[0] = b[0]>>1 | 0x40 // positive, and as long every time
	return new(big.Int).SetBytes(b)
}

func encodeCertificate(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func encodeKey(key crypto.Signer) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}
