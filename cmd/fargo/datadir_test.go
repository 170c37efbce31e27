package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fargo/aws/ecr"
	"fargo/engine"
	"fargo/instance"
	"fargo/logs"
	"fargo/record"
	"fargo/store"
	"fargo/store/disk"
)

// started is the data directory of an installation that was ready once.
func started(t *testing.T) *instance.Instance {
	t.Helper()
	inst := &instance.Instance{Dir: t.TempDir(), ID: "1a2b"}
	log := slog.New(slog.DiscardHandler)
	j, err := disk.Open(inst.StoreDir(), disk.KeyIn(inst.SecretsKeyFile()), log)
	if err != nil {
		t.Fatal(err)
	}
	lease, err := j.Lead(t.Context())
	if err == nil {
		_, err = j.Commit(t.Context(), lease.Epoch, []store.Write{{Key: "some/record", Value: []byte("{}")}})
	}
	if err := errors.Join(err, j.Close()); err != nil {
		t.Fatal(err)
	}
	l, err := logs.Open(inst.LogsDir(), log)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Close(), os.Mkdir(inst.RegistryDir(), 0o700), os.Mkdir(inst.ObjectsDir(), 0o700), os.Mkdir(inst.NodeDir(), 0o700),
		inst.SetEndpoint("http://127.0.0.1:4566"), inst.SetAdminKey(instance.AccessKey{ID: "A", Secret: "b"})); err != nil {
		t.Fatal(err)
	}
	return inst
}

// What is gone is not taken for what never was, whatever else is gone with it; only
// who says so begins anew.
func TestMissingStoreIsNotReplaced(t *testing.T) {
	for name, c := range map[string]struct {
		lose    []string
		refused string // the part
	}{
		"nothing":              {nil, ""},
		"the store":            {[]string{"store"}, "store"},
		"logs":                 {[]string{"logs"}, "logs"},
		"store and logs":       {[]string{"store", "logs"}, "store"},
		"all but the node":     {[]string{"store", "logs", "registry", "objects", "admin.json", "endpoint"}, "store"},
		"the store's content":  {[]string{"store/*"}, "store"},
		"the logs' content":    {[]string{"logs/*"}, "logs"},
		"the store, but a key": {[]string{"store", "logs", "registry", "objects", "admin.json", "endpoint", "node"}, ""},
		"what up writes again": {[]string{"admin.json", "endpoint"}, ""},
		"an empty registry":    {[]string{"registry"}, ""},
		"buckets without any":  {[]string{"objects"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			inst := started(t)
			for _, pattern := range c.lose {
				paths, err := filepath.Glob(filepath.Join(inst.Dir, pattern))
				if err != nil || len(paths) == 0 {
					t.Fatal(pattern, err)
				}
				for _, path := range paths {
					if err := os.RemoveAll(path); err != nil {
						t.Fatal(err)
					}
				}
			}
			_, err := checkDataDir(inst, false)
			var missing *instance.MissingError
			if c.refused == "" {
				if err != nil {
					t.Error(err)
				}
			} else if !errors.As(err, &missing) || missing.Part != filepath.Join(inst.Dir, c.refused) || !strings.Contains(err.Error(), "--begin-anew") {
				t.Errorf("got %v", err)
			}
			_, err = checkDataDir(inst, true)
			if wanted := c.refused != "" || !slices.Contains(c.lose, "node") && (slices.Contains(c.lose, "registry") || slices.Contains(c.lose, "objects")); (err == nil) != wanted {
				t.Errorf("to begin anew: %v", err)
			}
		})
	}
}

// Records of what is gone lead nowhere: it is said, or they are forgotten.
func TestMissingContents(t *testing.T) {
	for part, put := range map[string]func(tx *store.Tx, n int){
		"registry": func(tx *store.Tx, n int) {
			store.Images.Put(tx, &record.RepositoryImage{Image: ecr.ImageDetail{RepositoryName: new("r"), ImageDigest: new(fmt.Sprint("sha256:", n))}})
		},
		"objects": func(tx *store.Tx, n int) {
			store.Objects.Put(tx, &record.Object{Bucket: "b", Name: fmt.Sprint(n)})
			store.ObjectParts.Put(tx, &record.ObjectPart{Upload: "u", Number: int32(n)})
		},
	} {
		t.Run(part, func(t *testing.T) {
			db, err := store.Open(t.Context(), store.NewMemory())
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			p := &plane{planeConfig: planeConfig{inst: &instance.Instance{Dir: "/data"}}, db: db}
			gone := map[string]bool{part: true}
			if err := p.checkContents(t.Context(), gone); err != nil {
				t.Errorf("without records: %v", err)
			}
			if err := db.Update(t.Context(), func(tx *store.Tx) error {
				for n := range 2*forgotten + 1 {
					put(tx, n)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if err := p.checkContents(t.Context(), nil); err != nil {
				t.Errorf("when it is there: %v", err)
			}
			if err := p.checkContents(t.Context(), gone); !errors.As(err, new(*instance.MissingError)) || !strings.Contains(err.Error(), "/data/"+part) {
				t.Errorf("when it is gone: %v", err)
			}
			p.beginAnew = true
			if err := p.checkContents(t.Context(), gone); err != nil {
				t.Error(err)
			}
			for _, c := range partContents {
				for _, r := range c.records {
					if n := r.count(db.View()); n > 0 {
						t.Errorf("%d records of %s are still there", n, c.what)
					}
				}
			}
		})
	}
}

func TestUnfinishedRepairIsReported(t *testing.T) {
	inst := started(t)
	if err := os.Rename(inst.StoreDir(), inst.StoreDir()+engine.Repaired); err != nil {
		t.Fatal(err)
	}
	if _, err := checkDataDir(inst, true); err == nil || !strings.Contains(err.Error(), "fargo repair") {
		t.Errorf("got %v", err)
	}
}
