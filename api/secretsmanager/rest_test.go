package secretsmanager_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"fargo/api/secretsmanager"
	wire "fargo/aws/secretsmanager"
	"fargo/store"
	"fargo/store/disk"
)

// A value is nowhere on the disk in clear, and its secret's name is.
func TestSecretsAtRest(t *testing.T) {
	dir, key := t.TempDir(), disk.KeyIn(filepath.Join(t.TempDir(), "key"))
	journal, err := disk.Open(dir, key, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), journal)
	if err != nil {
		t.Fatal(err)
	}
	const value, name = "hunter2-correct-horse", "prod/database/password"
	s := secretsmanager.New(secretsmanager.Config{DB: db})
	_, err = s.CreateSecret(caller(t.Context()), &wire.CreateSecretInput{Name: new(name), ClientRequestToken: new("11111111-aaaa-4aaa-8aaa-aaaaaaaaaaaa"), SecretString: new(value)})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	named := false
	err = filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		named = named || bytes.Contains(content, []byte(name))
		if bytes.Contains(content, []byte("hunter2")) {
			t.Errorf("%s has the value", path)
		}
		return err
	})
	if err != nil || !named {
		t.Errorf("the secret's name was found: %v; %v", named, err)
	}
}
