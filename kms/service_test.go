package kms_test

import (
	"errors"
	"testing"

	"fargo/kms"
	"fargo/store"

	awskms "fargo/aws/kms"
)

// A service uses a key that can encrypt if the key's policy lets it, for what it does.
// Source: CloudWatch Logs user guide, "Encrypt log data using AWS KMS", whose policies
// these are.
func TestUsableBy(t *testing.T) {
	const service, group = "logs.us-east-1.amazonaws.com", "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/api"
	account := `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:*","Resource":"*"}`
	logs := `{"Effect":"Allow","Principal":{"Service":"logs.us-east-1.amazonaws.com"},"Resource":"*",
		"Action":["kms:Encrypt*","kms:Decrypt*","kms:ReEncrypt*","kms:GenerateDataKey*","kms:Describe*"]`
	only := func(arn string) string {
		return `,"Condition":{"ArnLike":{"kms:EncryptionContext:aws:logs:arn":"` + arn + `"}}}`
	}
	for _, test := range []struct {
		statements string
		state      awskms.KeyState
		want       string
	}{
		{account, awskms.KeyStateEnabled, "not allowed"},
		{account + "," + logs + "}", awskms.KeyStateEnabled, ""},
		{logs + only("arn:aws:logs:us-east-1:123456789012:*"), awskms.KeyStateEnabled, ""},
		{logs + only(group), awskms.KeyStateEnabled, ""},
		{logs + only(group+"-2"), awskms.KeyStateEnabled, "not allowed"},
		{logs + "}", awskms.KeyStateDisabled, "DisabledException"},
		{logs + "}", awskms.KeyStatePendingDeletion, "KMSInvalidStateException"},
	} {
		db := open(t)
		var arn string
		update(t, db, func(tx *store.Tx) error {
			k := *kms.NewKey(tx, scope, awskms.KeyManagerTypeCustomer, "", `{"Version":"2012-10-17","Statement":[`+test.statements+`]}`, nil, then)
			k.Metadata.KeyState, arn = test.state, k.ARN()
			store.KMSKeys.Put(tx, &k)
			return nil
		})
		err := kms.UsableBy(db.View(), arn, service, "aws:logs:arn", group)
		got := code(err)
		if errors.Is(err, kms.ErrNotAllowed) {
			got = "not allowed"
		}
		if got != test.want || (err == nil) != (test.want == "") {
			t.Errorf("%s, %s: %v", test.state, test.statements, err)
		}
		if err := kms.UsableBy(db.View(), arn+"0", service, "aws:logs:arn", group); code(err) != "NotFoundException" {
			t.Errorf("a key that is not there: %v", err)
		}
	}
}
