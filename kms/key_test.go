package kms_test

import (
	"errors"
	"testing"
	"time"

	"fargo"
	"fargo/api/apitest"
	"fargo/aws/protocol"
	"fargo/aws/ssm"
	"fargo/kms"
	"fargo/record"
	"fargo/store"

	awskms "fargo/aws/kms"
)

var (
	scope = fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}
	then  = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
)

func open(t *testing.T) *store.DB {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func update(t *testing.T, db *store.DB, fn func(tx *store.Tx) error) {
	t.Helper()
	if err := db.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// code is that of an error of AWS's.
func code(err error) string {
	if e := new(protocol.Error); errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// The key of a service is made once, with its alias, and rotates by itself.
func TestFindOrMake(t *testing.T) {
	db := open(t)
	update(t, db, func(tx *store.Tx) error {
		k, err := kms.FindOrMake(tx, scope, "alias/aws/ssm", then)
		if err != nil {
			return err
		}
		again, err := kms.FindOrMake(tx, scope, scope.ARN("kms", "alias/aws/ssm"), then)
		if err != nil || again.ARN() != k.ARN() {
			t.Errorf("it is made again: %v, %v", again, err)
		}
		if k.Metadata.KeyManager != awskms.KeyManagerTypeAws || !k.NextRotation.Equal(then.AddDate(0, 0, 365)) {
			t.Errorf("made %+v", k)
		}
		if _, err := kms.FindOrMake(tx, scope, "alias/aws/none", then); code(err) != "NotFoundException" {
			t.Errorf("a service that nobody knows: %v", err)
		}
		return nil
	})
}

// What a key has encrypted can be decrypted after rotations, but neither when the key
// is disabled nor after it was deleted.
func TestLifeOfAKey(t *testing.T) {
	db := open(t)
	var blob []byte
	var first *record.KMSKey
	update(t, db, func(tx *store.Tx) (err error) {
		first = kms.NewKey(tx, scope, awskms.KeyManagerTypeCustomer, "", "", nil, then)
		blob, err = kms.Encrypt(tx, first, []byte("hello"), nil)
		kms.Rotate(tx, first, awskms.RotationTypeOnDemand, then)
		return err
	})
	d, err := kms.Decrypt(db.View(), scope, blob, nil)
	if err != nil || string(d.Plaintext) != "hello" || d.Key.ARN() != first.ARN() || d.MaterialID != *first.Metadata.CurrentKeyMaterialId {
		t.Fatalf("after a rotation: %+v, %v", d, err)
	}
	if *d.Key.Metadata.CurrentKeyMaterialId == d.MaterialID || len(d.Key.Materials) != 2 || len(first.Materials) != 1 {
		t.Error("the key was not rotated, or the record of before was changed")
	}
	update(t, db, func(tx *store.Tx) error {
		disabled := *d.Key
		disabled.Metadata.KeyState = awskms.KeyStateDisabled
		store.KMSKeys.Put(tx, &disabled)
		return nil
	})
	if _, err := kms.Decrypt(db.View(), scope, blob, nil); code(err) != "DisabledException" {
		t.Errorf("disabled: %v", err)
	}
	update(t, db, func(tx *store.Tx) error { store.DeleteKMSKey(tx, d.Key); return nil })
	if _, err := kms.Decrypt(db.View(), scope, blob, nil); code(err) != "AccessDeniedException" {
		t.Errorf("deleted: %v", err)
	}
	for m := range store.KMSMaterials.All(db.View()) {
		t.Errorf("the material %s is left", m.ID)
	}
}

// A SecureString is what KMS makes of it, bound to the parameter's name.
func TestSecureString(t *testing.T) {
	db := open(t)
	v := &record.ParameterVersion{Scope: scope, Name: "/a/b", Version: 1, Type: ssm.ParameterTypeSecureString}
	update(t, db, func(tx *store.Tx) error {
		k, err := kms.FindOrMake(tx, scope, "alias/aws/ssm", then)
		if err != nil {
			return err
		}
		return kms.EncryptParameter(tx, k, v, "secret")
	})
	if got, err := kms.Parameter(db.View(), v); err != nil || got != "secret" || v.Value == "secret" {
		t.Errorf("%q of %q, %v", got, v.Value, err)
	}
	v.Name = "/a/c"
	if _, err := kms.Parameter(db.View(), v); code(err) != "InvalidCiphertextException" {
		t.Errorf("under another name: %v", err)
	}
	if got, _ := kms.Parameter(db.View(), &record.ParameterVersion{Type: ssm.ParameterTypeString, Value: "x"}); got != "x" {
		t.Errorf("a String is %q", got)
	}
}

func TestTexts(t *testing.T) { apitest.Texts(t, ".") }
