package acm

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/pem"
	"os"
	"testing"
)

// TestEncrypt holds that what is encrypted can be decrypted again in the way in
// which encrypted.key can, which OpenSSL made of self.key.
func TestEncrypt(t *testing.T) {
	read := func(name string) []byte {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	signer, err := parseKey(read("self.key"))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := encodeKey(signer)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(plain))
	ours, err := encrypt(block.Bytes, []byte("open-sesame"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"OpenSSL's": read("encrypted.key"), "ours": []byte(ours)} {
		if got := decrypt(t, text, "open-sesame"); !bytes.Equal(got, block.Bytes) {
			t.Errorf("%s: another key", name)
		}
		if bytes.Equal(decrypt(t, text, "another"), block.Bytes) {
			t.Errorf("%s: any passphrase will do", name)
		}
	}
	again, err := encrypt(block.Bytes, []byte("open-sesame"))
	if err != nil || again == ours {
		t.Errorf("encrypted the same way twice: %v", err)
	}
}

// decrypt is the key of a PEM text, or nonsense if the passphrase is not its.
func decrypt(t *testing.T, text []byte, passphrase string) []byte {
	t.Helper()
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "ENCRYPTED PRIVATE KEY" {
		t.Fatalf("not an encrypted key: %s", text)
	}
	var e encryptedKey
	if rest, err := asn1.Unmarshal(block.Bytes, &e); err != nil || len(rest) > 0 {
		t.Fatalf("not an EncryptedPrivateKeyInfo: %v", err)
	}
	how, derivation := e.Algorithm.Parameters, e.Algorithm.Parameters.Derivation
	if !e.Algorithm.Algorithm.Equal(oidPBES2) || !derivation.Algorithm.Equal(oidPBKDF2) ||
		!derivation.Parameters.Function.Algorithm.Equal(oidHMACSHA256) || !how.Cipher.Algorithm.Equal(oidAES256CBC) {
		t.Fatalf("encrypted in another way: %+v", e.Algorithm)
	}
	key, err := pbkdf2.Key(sha256.New, passphrase, derivation.Parameters.Salt, derivation.Parameters.Iterations, keyLength)
	if err != nil {
		t.Fatal(err)
	}
	c, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	out := bytes.Clone(e.Data)
	cipher.NewCBCDecrypter(c, how.Cipher.Parameters).CryptBlocks(out, out)
	return out[:max(0, len(out)-int(out[len(out)-1]))]
}
