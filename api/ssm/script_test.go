package ssm_test

import (
	"context"
	"testing"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/apitest"
	"fargo/api/kms"
	"fargo/api/ssm"
	wirekms "fargo/aws/kms"
	wire "fargo/aws/ssm"
	"fargo/record"
	"fargo/store"
)

func TestTexts(t *testing.T) { apitest.Texts(t, ".") }

func TestRecorded(t *testing.T) { apitest.RunRecorded(t, setup) }

// TestScripts runs the scripts. "secret" makes a secret of Secrets Manager with a name
// and a value.
func TestScripts(t *testing.T) { apitest.Run(t, setup) }

func open(t *testing.T) *store.DB {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func setup(t *testing.T) apitest.Setup {
	db := open(t)
	return apitest.Setup{
		Services: []api.Mounted{{Service: &wire.API, Server: ssm.New(ssm.Config{DB: db})}, {Service: &wirekms.API, Server: kms.New(db)}},
		Commands: map[string]func(context.Context, string) (string, error){
			"secret": func(ctx context.Context, name string) (string, error) { return "", secret(ctx, db, name) },
		},
	}
}

var scope = fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}

// secret makes a secret with two versions.
func secret(ctx context.Context, db *store.DB, name string) error {
	arn := scope.ARN("secretsmanager", "secret:"+name+"-abcdef")
	const one, two = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
	made := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	return db.Update(ctx, func(tx *store.Tx) error {
		store.Secrets.Put(tx, &record.Secret{Scope: scope, Name: name, ARN: arn, Versions: []record.SecretVersion{
			{ID: one, Stages: []string{record.StagePrevious}, CreatedAt: made}, {ID: two, Stages: []string{record.StageCurrent}, CreatedAt: made},
		}})
		store.SecretValues.Put(tx, &record.SecretValue{Secret: arn, Version: one, Text: new("old")})
		store.SecretValues.Put(tx, &record.SecretValue{Secret: arn, Version: two, Text: new("new")})
		return nil
	})
}
