package kms_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"fargo"
	"fargo/api"
	"fargo/api/kms"
	wire "fargo/aws/kms"
	"fargo/aws/protocol"
	"fargo/store"
)

func server(t *testing.T, region string) (*kms.Server, context.Context) {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return kms.New(db), in(t.Context(), region)
}

func in(ctx context.Context, region string) context.Context {
	return api.WithCall(ctx, &api.Call{
		Account: fargo.DefaultAccount, Region: region,
		Caller: api.Caller{PrincipalARN: "arn:aws:iam::" + fargo.DefaultAccount + ":user/admin"},
	})
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func refused(t *testing.T, err error, code string) {
	t.Helper()
	if e := new(protocol.Error); !errors.As(err, &e) || e.Code != code {
		t.Errorf("the answer is %v, not %s", err, code)
	}
}

func key(ctx context.Context, t *testing.T, s *kms.Server) *string {
	return must[*wire.CreateKeyOutput](t)(s.CreateKey(ctx, &wire.CreateKeyInput{})).KeyMetadata.Arn
}

// A data key is given in clear and encrypted, and is what the ciphertext decrypts to.
func TestDataKey(t *testing.T) {
	s, ctx := server(t, "us-east-1")
	k := key(ctx, t, s)
	for _, c := range []struct {
		in   wire.GenerateDataKeyInput
		size int
	}{
		{wire.GenerateDataKeyInput{KeyId: k, KeySpec: wire.DataKeySpecAes256}, 32},
		{wire.GenerateDataKeyInput{KeyId: k, KeySpec: wire.DataKeySpecAes128, EncryptionContext: map[string]string{"a": "b"}}, 16},
		{wire.GenerateDataKeyInput{KeyId: new("alias/aws/ebs"), NumberOfBytes: new(int32(1024))}, 1024},
	} {
		out := must[*wire.GenerateDataKeyOutput](t)(s.GenerateDataKey(ctx, &c.in))
		d := must[*wire.DecryptOutput](t)(s.Decrypt(ctx, &wire.DecryptInput{CiphertextBlob: out.CiphertextBlob, EncryptionContext: c.in.EncryptionContext}))
		if !bytes.Equal(d.Plaintext, out.Plaintext) || len(d.Plaintext) != c.size || *d.KeyId != *out.KeyId || *d.KeyMaterialId != *out.KeyMaterialId {
			t.Errorf("%+v: %+v, decrypted %+v", c.in, out, d)
		}
	}
	for _, bad := range []wire.GenerateDataKeyInput{{KeyId: k}, {KeyId: k, KeySpec: wire.DataKeySpecAes256, NumberOfBytes: new(int32(1))}} {
		_, err := s.GenerateDataKey(ctx, &bad)
		refused(t, err, "ValidationException")
	}
}

// ReEncrypt moves a value to another key and context.
func TestReEncrypt(t *testing.T) {
	s, ctx := server(t, "us-east-1")
	one, other := key(ctx, t, s), key(ctx, t, s)
	blob := must[*wire.EncryptOutput](t)(s.Encrypt(ctx, &wire.EncryptInput{KeyId: one, Plaintext: []byte("hello"), EncryptionContext: map[string]string{"a": "b"}})).CiphertextBlob
	moved := must[*wire.ReEncryptOutput](t)(s.ReEncrypt(ctx, &wire.ReEncryptInput{
		CiphertextBlob: blob, SourceEncryptionContext: map[string]string{"a": "b"}, DestinationKeyId: other, DestinationEncryptionContext: map[string]string{"c": "d"},
	}))
	if *moved.SourceKeyId != *one || *moved.KeyId != *other {
		t.Errorf("moved: %+v", moved)
	}
	d := must[*wire.DecryptOutput](t)(s.Decrypt(ctx, &wire.DecryptInput{CiphertextBlob: moved.CiphertextBlob, EncryptionContext: map[string]string{"c": "d"}, KeyId: other}))
	if string(d.Plaintext) != "hello" || *d.KeyId != *other {
		t.Errorf("decrypted: %+v", d)
	}
	_, err := s.Decrypt(ctx, &wire.DecryptInput{CiphertextBlob: moved.CiphertextBlob, EncryptionContext: map[string]string{"c": "d"}, KeyId: one})
	refused(t, err, "IncorrectKeyException")
	_, err = s.ReEncrypt(ctx, &wire.ReEncryptInput{CiphertextBlob: blob, DestinationKeyId: other})
	refused(t, err, "InvalidCiphertextException")
}

// Another region has other keys, and no part in a ciphertext.
func TestOtherRegion(t *testing.T) {
	s, ctx := server(t, "us-east-1")
	blob := must[*wire.EncryptOutput](t)(s.Encrypt(ctx, &wire.EncryptInput{KeyId: key(ctx, t, s), Plaintext: []byte("hello")})).CiphertextBlob
	_, err := s.Decrypt(in(t.Context(), "eu-west-1"), &wire.DecryptInput{CiphertextBlob: blob})
	refused(t, err, "AccessDeniedException")
}

// A dry run says that it would have succeeded, or why not.
func TestDryRun(t *testing.T) {
	s, ctx := server(t, "us-east-1")
	k, yes := key(ctx, t, s), new(true)
	blob := must[*wire.EncryptOutput](t)(s.Encrypt(ctx, &wire.EncryptInput{KeyId: k, Plaintext: []byte("hello")})).CiphertextBlob
	for name, try := range map[string]func() (any, error){
		"Encrypt": func() (any, error) {
			return s.Encrypt(ctx, &wire.EncryptInput{KeyId: k, Plaintext: []byte("x"), DryRun: yes})
		},
		"Decrypt": func() (any, error) { return s.Decrypt(ctx, &wire.DecryptInput{CiphertextBlob: blob, DryRun: yes}) },
		"ReEncrypt": func() (any, error) {
			return s.ReEncrypt(ctx, &wire.ReEncryptInput{CiphertextBlob: blob, DestinationKeyId: k, DryRun: yes})
		},
		"GenerateDataKey": func() (any, error) {
			return s.GenerateDataKey(ctx, &wire.GenerateDataKeyInput{KeyId: k, KeySpec: "AES_256", DryRun: yes})
		},
		"GenerateDataKeyWithoutPlaintext": func() (any, error) {
			return s.GenerateDataKeyWithoutPlaintext(ctx, &wire.GenerateDataKeyWithoutPlaintextInput{KeyId: k, KeySpec: "AES_256", DryRun: yes})
		},
	} {
		_, err := try()
		if refused(t, err, "DryRunOperationException"); t.Failed() {
			t.Fatal(name)
		}
	}
	_, err := s.Decrypt(ctx, &wire.DecryptInput{CiphertextBlob: blob, EncryptionContext: map[string]string{"a": "b"}, DryRun: yes})
	refused(t, err, "InvalidCiphertextException")
}

// What a symmetric key, or Fargo, cannot do is refused.
func TestUnsupportedParameters(t *testing.T) {
	s, ctx := server(t, "us-east-1")
	k := key(ctx, t, s)
	_, err := s.Encrypt(ctx, &wire.EncryptInput{KeyId: k, Plaintext: []byte("x"), EncryptionAlgorithm: wire.EncryptionAlgorithmSpecRsaesOaepSha1})
	refused(t, err, "InvalidKeyUsageException")
	_, err = s.Decrypt(ctx, &wire.DecryptInput{CiphertextBlob: []byte("x"), Recipient: &wire.RecipientInfo{}})
	refused(t, err, "UnsupportedOperationException")
	_, err = s.Decrypt(ctx, &wire.DecryptInput{CiphertextBlob: []byte("x"), DryRunModifiers: []wire.DryRunModifierType{"IGNORE_CIPHERTEXT"}})
	refused(t, err, "UnsupportedOperationException")
	_, err = s.Decrypt(ctx, &wire.DecryptInput{})
	refused(t, err, "ValidationException")
}

// A key can be rotated on demand 25 times, and lists that.
func TestRotateOnDemand(t *testing.T) {
	s, ctx := server(t, "us-east-1")
	k := key(ctx, t, s)
	for range 25 {
		must[*wire.RotateKeyOnDemandOutput](t)(s.RotateKeyOnDemand(ctx, &wire.RotateKeyOnDemandInput{KeyId: k}))
	}
	_, err := s.RotateKeyOnDemand(ctx, &wire.RotateKeyOnDemandInput{KeyId: k})
	refused(t, err, "LimitExceededException")
	list := must[*wire.ListKeyRotationsOutput](t)(s.ListKeyRotations(ctx, &wire.ListKeyRotationsInput{KeyId: k, IncludeKeyMaterial: wire.IncludeKeyMaterialAllKeyMaterial}))
	last := list.Rotations[len(list.Rotations)-1]
	if len(list.Rotations) != 26 || last.KeyMaterialState != wire.KeyMaterialStateCurrent || last.RotationType != wire.RotationTypeOnDemand || list.Rotations[0].RotationType != "" {
		t.Errorf("%d materials, the first %+v, the last %+v", len(list.Rotations), list.Rotations[0], last)
	}
	rotations := must[*wire.ListKeyRotationsOutput](t)(s.ListKeyRotations(ctx, &wire.ListKeyRotationsInput{KeyId: k, Limit: new(int32(10))}))
	if len(rotations.Rotations) != 10 || !*rotations.Truncated || rotations.NextMarker == nil {
		t.Errorf("a page of rotations: %+v", rotations)
	}
}

// Random bytes are as many as asked for.
func TestGenerateRandom(t *testing.T) {
	s, ctx := server(t, "us-east-1")
	for _, n := range []int32{1, 12, 44, 91, 1024} {
		out := must[*wire.GenerateRandomOutput](t)(s.GenerateRandom(ctx, &wire.GenerateRandomInput{NumberOfBytes: &n}))
		if len(out.Plaintext) != int(n) || n > 10 && bytes.Equal(out.Plaintext, make([]byte, n)) {
			t.Errorf("%d bytes: %x", n, out.Plaintext)
		}
	}
}
