package acm

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"slices"

	"fargo"
	"fargo/api"
	"fargo/aws/acm"
	"fargo/store"
)

// ExportCertificate gives a certificate that was asked for with that option, its
// chain, and its private key, encrypted with a passphrase.
func (s *Server) ExportCertificate(ctx context.Context, in *acm.ExportCertificateInput) (*acm.ExportCertificateOutput, error) {
	if slices.ContainsFunc(in.Passphrase, func(c byte) bool { return c >= 0x80 || bytes.IndexByte([]byte("#$%"), c) >= 0 }) {
		return nil, invalid("The passphrase can have any ASCII characters except #, $ and %%.")
	}
	c, err := find(s.db.View(), api.CallFrom(ctx).Scope(), *in.CertificateArn)
	if err != nil {
		return nil, err
	}
	if c.Certificate.Options.Export != acm.CertificateExportEnabled {
		return nil, invalid("Certificate %s is not exportable: it must be requested with the option Export.", c.Key())
	}
	block, _ := pem.Decode([]byte(c.PrivateKey))
	private, err := encrypt(block.Bytes, in.Passphrase)
	if err != nil {
		return nil, fmt.Errorf("encrypt a private key: %w", err)
	}
	out := &acm.ExportCertificateOutput{Certificate: &c.Body, CertificateChain: &c.Chain, PrivateKey: &private}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		now, err := find(tx, scope, c.Key())
		if err != nil || now.PrivateKey != c.PrivateKey {
			return err // it was renewed meanwhile: the new one was not exported
		}
		exported := *now
		exported.Exported = true
		store.Certificates.Put(tx, &exported)
		return nil
	})
}

// How private keys are encrypted. Source: RFC 8018, 6.2 (PBES2), A.2 and B.2.5.
var (
	oidPBES2      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidHMACSHA256 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}
	oidAES256CBC  = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
)

const (
	derivations = 100_000 // of PBKDF2: some tens of milliseconds
	keyLength   = 32      // bytes, for AES-256
	saltLength  = 16
)

// algorithm is an AlgorithmIdentifier with parameters of any type.
type algorithm[T any] struct {
	Algorithm  asn1.ObjectIdentifier
	Parameters T
}

// pbes2 says how a key was encrypted. Source: RFC 8018, A.4.
type pbes2 struct {
	Derivation algorithm[pbkdf2Parameters]
	Cipher     algorithm[[]byte] // the parameter is the initialization vector
}

type pbkdf2Parameters struct {
	Salt       []byte
	Iterations int
	Function   pkix.AlgorithmIdentifier
}

// encryptedKey is an EncryptedPrivateKeyInfo. Source: RFC 5958, 3.
type encryptedKey struct {
	Algorithm algorithm[pbes2]
	Data      []byte
}

// encrypt gives a PKCS #8 private key, encrypted, in PEM.
func encrypt(der, passphrase []byte) (string, error) {
	salt, iv := make([]byte, saltLength), make([]byte, aes.BlockSize)
	rand.Read(salt) // never fails: see crypto/rand
	rand.Read(iv)
	key, err := pbkdf2.Key(sha256.New, string(passphrase), salt, derivations, keyLength)
	if err != nil {
		return "", err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", err
	}
	padding := aes.BlockSize - len(der)%aes.BlockSize
	data := append(bytes.Clone(der), bytes.Repeat([]byte{byte(padding)}, padding)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(data, data)
	out, err := asn1.Marshal(encryptedKey{
		Algorithm: algorithm[pbes2]{oidPBES2, pbes2{
			Derivation: algorithm[pbkdf2Parameters]{oidPBKDF2, pbkdf2Parameters{salt, derivations, pkix.AlgorithmIdentifier{Algorithm: oidHMACSHA256, Parameters: asn1.NullRawValue}}},
			Cipher:     algorithm[[]byte]{oidAES256CBC, iv},
		}},
		Data: data,
	})
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: out})), nil
}
