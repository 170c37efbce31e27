//go:build e2e

package e2e

import (
	"crypto/subtle"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/rogpeppe/go-internal/testscript"
)

// registryCommand starts a registry that lets in who has the name and the password, and
// sets PRIVATE to its host and port. It ends with the script.
func registryCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: registry name password")
	}
	quiet := registry.Logger(slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo))
	server := httptest.NewServer(private(registry.New(quiet), args[0], args[1]))
	ts.Defer(server.Close)
	ts.Setenv("PRIVATE", strings.TrimPrefix(server.URL, "http://"))
}

// private lets nobody in but who has the name and the password.
func private(h http.Handler, name, password string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, given, _ := r.BasicAuth()
		if user != name || subtle.ConstantTimeCompare([]byte(given), []byte(password)) == 0 {
			w.Header().Set("WWW-Authenticate", `Basic realm="private"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	})
}
