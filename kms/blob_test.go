package kms_test

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fargo/kms"
)

const arn = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"

// What was encrypted is decrypted with the same material and context, whatever the
// order of the context's pairs.
func TestRoundTrip(t *testing.T) {
	m := kms.NewMaterial(arn)
	rapid.Check(t, func(t *rapid.T) {
		plaintext := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "plaintext")
		context := rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "context")
		blob, err := m.Encrypt(plaintext, context)
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.Decrypt(blob, context)
		if err != nil || !bytes.Equal(got, plaintext) {
			t.Fatalf("%q with %v: %q, %v", plaintext, context, got, err)
		}
	})
}

// The same plaintext never makes the same ciphertext, and the largest fits into KMS's
// bounds.
func TestCiphertext(t *testing.T) {
	m := kms.NewMaterial(arn)
	plaintext := []byte(strings.Repeat("x", 4096))
	one, err := m.Encrypt(plaintext, nil)
	if err != nil {
		t.Fatal(err)
	}
	other, err := m.Encrypt(plaintext, nil)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(one, other) || bytes.Contains(one, []byte("xxxx")) || len(one) > 6144 {
		t.Errorf("ciphertexts are equal, show the plaintext, or are too long: %d bytes", len(one))
	}
}

// A changed byte, another context and another material are found out.
func TestDecryptRefuses(t *testing.T) {
	m := kms.NewMaterial(arn)
	context := map[string]string{"a": "bc"}
	blob, err := m.Encrypt([]byte("hello"), context)
	if err != nil {
		t.Fatal(err)
	}
	for i := range blob {
		changed := bytes.Clone(blob)
		changed[i] ^= 1
		if _, err := m.Decrypt(changed, context); err == nil {
			t.Errorf("byte %d can be changed", i)
		}
		if _, err := m.Decrypt(blob[:i], context); err == nil {
			t.Errorf("all after byte %d can be cut off", i)
		}
	}
	for _, other := range []map[string]string{nil, {"ab": "c"}, {"a": "bc", "d": ""}, {"a": "bC"}} {
		if _, err := m.Decrypt(blob, other); err == nil {
			t.Errorf("the context can be %v", other)
		}
	}
	same := kms.NewMaterial(arn)
	same.ID = m.ID
	if _, err := same.Decrypt(blob, context); err == nil {
		t.Error("another secret decrypts it")
	}
	if _, err := (kms.Material{KeyARN: arn, ID: m.ID}).Decrypt(blob, context); err == nil {
		t.Error("no secret decrypts it")
	}
	if _, err := (kms.Material{KeyARN: arn, ID: "00", Secret: m.Secret}).Encrypt(nil, nil); err == nil {
		t.Error("a material without a proper id encrypts")
	}
}

// FuzzDecrypt looks for a blob that makes the parser fail in another way than by an
// error, or that is accepted without having been encrypted.
func FuzzDecrypt(f *testing.F) {
	m := kms.NewMaterial(arn)
	blob, err := m.Encrypt([]byte("hello"), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(blob)
	f.Add(blob[:40])
	f.Add([]byte{1, 255})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := m.Decrypt(b, nil); (err == nil) != bytes.Equal(b, blob) {
			t.Errorf("%x: %v", b, err)
		}
	})
}
