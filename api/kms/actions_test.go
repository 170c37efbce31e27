package kms_test

import (
	"slices"
	"testing"

	"fargo"
	"fargo/api"
	"fargo/api/kms"
	wire "fargo/aws/kms"
	"fargo/store"
)

// What a request asks IAM for names the key itself, whatever the request names, and has
// the encryption context.
func TestActions(t *testing.T) {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, ctx := kms.New(db), in(t.Context(), fargo.DefaultRegion)
	k := key(ctx, t, s)
	if _, err := s.CreateAlias(ctx, &wire.CreateAliasInput{AliasName: new("alias/a"), TargetKeyId: k}); err != nil {
		t.Fatal(err)
	}
	context := map[string]string{"Color": "red"}
	blob := must[*wire.EncryptOutput](t)(s.Encrypt(ctx, &wire.EncryptInput{KeyId: k, Plaintext: []byte("x"), EncryptionContext: context})).CiphertextBlob
	call := func(operation string) *api.Call {
		c := *api.CallFrom(ctx)
		c.Operation = operation
		return &c
	}
	for operation, input := range map[string]any{
		"Encrypt": &wire.EncryptInput{KeyId: new("alias/a"), EncryptionContext: context},
		"Decrypt": &wire.DecryptInput{CiphertextBlob: blob, EncryptionContext: context, KeyId: new("alias/a")},
	} {
		asked := kms.Actions.Of(call(operation), db.View(), input)
		if len(asked) != 1 || asked[0].Action != "kms:"+operation || !slices.Equal(asked[0].Resources, []string{*k}) {
			t.Errorf("%s asks for %+v", operation, asked)
		}
		for key, want := range map[string]string{
			"kms:encryptioncontext:color": "red", "kms:encryptioncontextkeys": "Color", "kms:requestalias": "alias/a",
			"kms:calleraccount": fargo.DefaultAccount, "kms:encryptionalgorithm": "SYMMETRIC_DEFAULT", "kms:encryptioncontext:other": "", "kms:viaservice": "",
		} {
			got := kms.Actions.Values(call(operation), db.View(), input, key)
			if want == "" && len(got) > 0 || want != "" && !slices.Equal(got, []string{want}) {
				t.Errorf("%s: %s is %q, not %q", operation, key, got, want)
			}
		}
	}
	if names := kms.Actions.Attributes(db.View(), *k, "kms:resourcealiases"); !slices.Equal(names, []string{"alias/a"}) {
		t.Errorf("the aliases of the key are %q", names)
	}
}
