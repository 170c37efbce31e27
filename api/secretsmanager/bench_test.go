package secretsmanager_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fargo"
	"fargo/api"
	"fargo/api/secretsmanager"
	wire "fargo/aws/secretsmanager"
	"fargo/store"
)

// BenchmarkGetSecretValue is of the handler alone, among a thousand secrets. The budget
// is 15,000 a second and core.
func BenchmarkGetSecretValue(b *testing.B) {
	s := thousand(b)
	ctx, in := caller(b.Context()), &wire.GetSecretValueInput{SecretId: new("prod/app-500/password")}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.GetSecretValue(ctx, in); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

// BenchmarkGetSecretValueRequest is of a whole request but for the connection and the
// signature: read, decoded, decided on, validated, handled and encoded.
func BenchmarkGetSecretValueRequest(b *testing.B) {
	handler := api.New(api.Config{
		Services:   []api.Mounted{{Service: &wire.API, Server: thousand(b)}},
		Authorizer: api.AllowAuthenticated{}, Logger: discard, Keys: noKeys{},
		AcceptAnyCredentials: true, Account: fargo.DefaultAccount, Region: fargo.DefaultRegion,
	})
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"SecretId":"prod/app-500/password"}`))
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", "secretsmanager.GetSecretValue")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

func thousand(b *testing.B) *secretsmanager.Server {
	db, err := store.Open(b.Context(), store.NewMemory())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	s := secretsmanager.New(secretsmanager.Config{DB: db})
	for i := range 1000 {
		_, err := s.CreateSecret(caller(b.Context()), &wire.CreateSecretInput{
			Name: new(fmt.Sprintf("prod/app-%d/password", i)), ClientRequestToken: new("11111111-aaaa-4aaa-8aaa-aaaaaaaaaaaa"),
			SecretString: new(`{"username":"app","password":"correct horse battery staple"}`),
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return s
}

var discard = slog.New(slog.DiscardHandler)

type noKeys struct{}

func (noKeys) Key(string) (api.Key, bool) { return api.Key{}, false }
