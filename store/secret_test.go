package store_test

import (
	"testing"

	"fargo"
	"fargo/record"
	"fargo/store"
)

// TestFindSecret: a secret is found by its name, its ARN, and its ARN without its suffix or
// with that of AWS's documentation; another secret's ARN, or one of elsewhere, finds nothing.
func TestFindSecret(t *testing.T) {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	here := fargo.Scope{Account: "123456789012", Region: "us-east-1"}
	arn := "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-url"
	if err := db.Update(t.Context(), func(tx *store.Tx) error {
		store.Secrets.Put(tx, &record.Secret{Scope: here, Name: "prod/db-url", ARN: arn + "-x1Y2z3"})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for id, found := range map[string]bool{
		"prod/db-url": true, arn: true, arn + "-x1Y2z3": true, arn + "-AbCdEf": true,
		"prod/db": false, "prod/db-url-AbCdEf": false, arn + "-x1Y2z4": false, arn + "-abcdef": false, "arn": false,
		"arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-url": false,
		"arn:aws:secretsmanager:us-east-1:210987654321:secret:prod/db-url": false,
	} {
		if _, ok := store.FindSecret(db.View(), here, id); ok != found {
			t.Errorf("%s is found: %v", id, ok)
		}
	}
}
