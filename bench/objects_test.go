package main

import (
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"fargo"
	"fargo/api"
	apis3 "fargo/api/s3"
	"fargo/aws/s3"
	"fargo/aws/sigv4"
	"fargo/objects"
	"fargo/store"
)

type oneKey struct{ of sigv4.Credentials }

func (k oneKey) Key(id string) (api.Key, bool) {
	return api.Key{Secret: k.of.Secret, Account: fargo.DefaultAccount}, id == k.of.AccessKeyID
}

// What is measured is what S3 does: objects come back as they were put, each size twice.
func TestMeasureObjects(t *testing.T) {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	quiet := slog.New(slog.DiscardHandler)
	contents, err := objects.Open(objects.Config{Dir: filepath.Join(t.TempDir(), "objects"), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	buckets := apis3.New(apis3.Config{DB: db, Contents: contents, Authorizer: api.AllowAuthenticated{}})
	key := sigv4.Credentials{AccessKeyID: "AKIAEXAMPLE", Secret: "secret"}
	server := httptest.NewServer(api.New(api.Config{
		Services: []api.Mounted{{Service: &s3.API, Server: buckets, Locate: buckets.Locate, CheckBody: apis3.CheckBody}},
		Keys:     oneKey{key}, Authorizer: api.AllowAuthenticated{}, Logger: quiet, Account: fargo.DefaultAccount, Region: fargo.DefaultRegion,
	}))
	defer server.Close()
	r := &report{}
	f := &fixture{apiClient: &apiClient{url: server.URL, region: fargo.DefaultRegion, key: key}, counts: usual}
	if err := measureObjects(t.Context(), f, r); err != nil {
		t.Fatal(err)
	}
	if len(r.latencies) != 2*len(objectSizes) {
		t.Errorf("%d series", len(r.latencies))
	}
	for _, s := range r.latencies {
		if len(s.samples) != objectRuns {
			t.Errorf("%s: %d samples", s.name, len(s.samples))
			continue
		}
		t.Logf("%s: p50 %v, p99 %v", s.name, s.percentile(50), s.percentile(99))
	}
}
