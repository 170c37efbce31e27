// Package kms encrypts and decrypts as the Key Management Service does, with the keys
// that the store has: for its API and for what keeps values with it. It knows what a
// ciphertext looks like and when a key may be used. It refuses to know who asks: callers
// decide first whether they may.
//
// A ciphertext is opaque to everyone else. It begins with one byte, the version of the
// format; then come the length of the key's ARN, the ARN, the id of the key's material,
// a nonce, and what AES-256-GCM made of the plaintext. All before the nonce, and the
// encryption context, is additional data: a change of any of it is found out.
package kms

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// errCiphertext says that a blob is no ciphertext, was made with another key or
// context, or is damaged. Nobody is told which.
var errCiphertext = errors.New("the ciphertext, its key or its context is not the right one")

const (
	blobVersion = 1
	materialLen = 32 // of a material's secret and, in bytes, of its id
)

// Material is one of the secrets of a key.
type Material struct {
	KeyARN string // at most 255 bytes
	ID     string // 64 hexadecimal digits
	Secret []byte // 32 bytes
}

// NewMaterial makes material for a key.
func NewMaterial(keyARN string) Material {
	id, secret := make([]byte, materialLen), make([]byte, materialLen)
	rand.Read(id) // never fails: see crypto/rand
	rand.Read(secret)
	return Material{keyARN, hex.EncodeToString(id), secret}
}

// Encrypt makes a ciphertext, which can be decrypted with the same material and the
// same context only. It fails when the material is none.
func (m Material) Encrypt(plaintext []byte, context map[string]string) ([]byte, error) {
	aead, err := m.aead()
	if err != nil {
		return nil, err
	}
	id, err := hex.DecodeString(m.ID)
	if err != nil || len(id) != materialLen || len(m.KeyARN) > 255 {
		return nil, fmt.Errorf("encrypt: material %q of %q has no proper id", m.ID, m.KeyARN)
	}
	header := append([]byte{blobVersion, byte(len(m.KeyARN))}, m.KeyARN...)
	header = append(header, id...)
	return aead.Seal(header, nil, plaintext, additional(header, context)), nil
}

// Decrypt is the opposite of Encrypt.
func (m Material) Decrypt(blob []byte, context map[string]string) ([]byte, error) {
	keyARN, id, header, err := parse(blob)
	if err != nil || keyARN != m.KeyARN || id != m.ID {
		return nil, errCiphertext
	}
	aead, err := m.aead()
	if err != nil {
		return nil, err
	}
	plaintext, err := aead.Open([]byte{}, nil, blob[header:], additional(blob[:header], context))
	if err != nil {
		return nil, errCiphertext
	}
	return plaintext, nil
}

func (m Material) aead() (cipher.AEAD, error) {
	block, err := aes.NewCipher(m.Secret)
	if err != nil {
		return nil, fmt.Errorf("material %s of %s: %w", m.ID, m.KeyARN, err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// parse tells with which material of which key a blob was made, and how long its
// header is.
func parse(blob []byte) (keyARN, materialID string, header int, err error) {
	if len(blob) < 2 || blob[0] != blobVersion {
		return "", "", 0, errCiphertext
	}
	arnEnd := 2 + int(blob[1])
	header = arnEnd + materialLen
	if len(blob) < header {
		return "", "", 0, errCiphertext
	}
	return string(blob[2:arnEnd]), hex.EncodeToString(blob[arnEnd:header]), header, nil
}

// additional is the additional data of a ciphertext: its header, and the context's
// pairs in the order of their keys, each string after its length.
func additional(header []byte, context map[string]string) []byte {
	data := slices.Clone(header)
	for _, key := range slices.Sorted(maps.Keys(context)) {
		for _, s := range []string{key, context[key]} {
			data = binary.AppendUvarint(data, uint64(len(s)))
			data = append(data, s...)
		}
	}
	return data
}
