package main

import (
	"encoding/base64"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fargo"
	"fargo/api/iam"
	"fargo/instance"
	"fargo/store"
	"fargo/store/disk"
)

func TestKeyFlag(t *testing.T) {
	inst := &instance.Instance{Dir: t.TempDir(), ID: "1a2b"}
	key := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for name, c := range map[string]struct {
		file, variable string
		where, refused string
	}{
		"neither":         {where: inst.SecretsKeyFile()},
		"a file":          {file: "/elsewhere/key", where: "/elsewhere/key"},
		"the environment": {variable: key, where: "FARGO_KEY"},
		"both":            {file: "/elsewhere/key", variable: key, refused: "both given"},
		"too short":       {variable: key[4:], refused: "32 bytes in base64"},
		"not base64":      {variable: "*", refused: "32 bytes in base64"},
		"empty":           {variable: " ", refused: "32 bytes in base64"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.variable != "" {
				t.Setenv(keyVariable, strings.TrimSpace(c.variable))
			}
			got, err := (&keyFlag{KeyFile: c.file}).key(inst, slog.New(slog.DiscardHandler))
			switch {
			case c.refused != "":
				if err == nil || !strings.Contains(err.Error(), c.refused) || c.variable == key && strings.Contains(err.Error(), key) {
					t.Errorf("refused with %v", err)
				}
			case err != nil || got.String() != c.where:
				t.Errorf("the key is in %s, %v", got, err)
			}
			if left, ok := os.LookupEnv(keyVariable); ok {
				t.Errorf("%s is left in the environment: %q", keyVariable, left)
			}
		})
	}
}

// Another place for the key is refused while something is sealed with the one before, and
// taken when the key was moved there.
func TestMovedKey(t *testing.T) {
	inst := &instance.Instance{Dir: t.TempDir(), ID: "1a2b"}
	log := slog.New(slog.DiscardHandler)
	start := func(f keyFlag) error {
		key, err := f.key(inst, log)
		if err != nil {
			return err
		}
		j, err := disk.Open(inst.StoreDir(), key, log)
		if err != nil {
			return withAdvice(inst, err)
		}
		db, err := store.Open(t.Context(), j)
		if err != nil {
			return withAdvice(inst, err)
		}
		_, _, err = iam.EnsureAdministrator(t.Context(), db, fargo.DefaultAccount) // whose key is sealed
		return errors.Join(err, db.Close())
	}
	if err := start(keyFlag{}); err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(t.TempDir(), "key")
	if err := start(keyFlag{KeyFile: elsewhere}); err == nil || !strings.Contains(err.Error(), elsewhere+" is missing, the key that") || !strings.Contains(err.Error(), "--key-file") {
		t.Errorf("another file: %v", err)
	}
	if _, err := os.Stat(elsewhere); err == nil {
		t.Error("a key was made in place of the one that is needed")
	}
	t.Setenv(keyVariable, base64.StdEncoding.EncodeToString(make([]byte, 32)))
	if err := start(keyFlag{}); err == nil || !strings.Contains(err.Error(), "FARGO_KEY is not the key that") {
		t.Errorf("another key: %v", err)
	}
	if err := os.Rename(inst.SecretsKeyFile(), elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := start(keyFlag{KeyFile: elsewhere}); err != nil {
		t.Errorf("moved: %v", err)
	}
	if err := start(keyFlag{}); err == nil {
		t.Error("started without the key")
	}
	b, err := os.ReadFile(elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(keyVariable, base64.StdEncoding.EncodeToString(b))
	if err := start(keyFlag{}); err != nil {
		t.Errorf("given: %v", err)
	}
}
