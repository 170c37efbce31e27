package registry

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"

	"fargo"
	"fargo/record"
)

// Config is the configuration of a [Server]. All fields are required.
type Config struct {
	Storage *Storage
	Catalog Catalog
	// Secret signs the state of uploads that clients send back. With the same secret
	// after a restart, uploads can be continued.
	Secret []byte
	Logger *slog.Logger
}

// Server answers everything under /v2/.
type Server struct {
	Config
	layers http.Handler // distribution's
}

// New makes a server. ctx ends the background work of distribution's handler.
func New(ctx context.Context, c Config) *Server {
	registerDriver()
	layers := &configuration.Configuration{
		Version: "0.1",
		Storage: configuration.Storage{
			driverName:    {"driver": c.Storage.driver},
			"maintenance": {"uploadpurging": map[any]any{"enabled": false}}, // Storage.Collect does it
			"redirect":    {"disable": true},
		},
	}
	layers.HTTP.RelativeURLs = true
	layers.HTTP.Secret = string(c.Secret)
	return &Server{c, handlers.NewApp(ctx, layers)}
}

// Run collects unused blobs from time to time, until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	ticker := time.NewTicker(max(s.Storage.grace, time.Minute))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		done, err := s.Storage.Collect(ctx, s.Catalog.AllImages())
		switch {
		case err != nil && ctx.Err() == nil:
			s.Logger.Error("registry: collection failed", "err", err)
		case done != Collected{}:
			s.Logger.Info("registry: removed unused blobs", "blobs", done.Blobs, "links", done.Links, "uploads", done.Uploads)
		}
	}
}

// request is a request for something in a repository.
type request struct {
	*http.Request
	route
	grant record.RegistryGrant
	scope fargo.Scope
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	grant, err := s.login(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if strings.TrimSuffix(r.URL.Path, "/") == "/v2" {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, "{}")
		return
	}
	to, ok := parseRoute(r.URL.Path)
	if !ok {
		s.fail(w, r, errNotFound)
		return
	}
	if err := s.serve(w, &request{r, to, grant, scopeOf(r, grant)}); err != nil {
		s.fail(w, r, err)
	}
}

// login authenticates a request.
func (s *Server) login(r *http.Request) (record.RegistryGrant, error) {
	user, password, ok := r.BasicAuth()
	if !ok || user != "AWS" {
		return record.RegistryGrant{}, errUnauthorized
	}
	return s.Catalog.Login(r.Context(), password)
}

// scopeOf is the account and region of a request: those in the host name, or else
// those of the password.
func scopeOf(r *http.Request, grant record.RegistryGrant) fargo.Scope {
	for _, host := range []string{r.URL.Query().Get("ns"), r.Host} {
		if s, ok := fargo.ParseRegistryHost(host); ok {
			return s
		}
	}
	return grant.Scope
}

// serve authorizes a request and does it.
func (s *Server) serve(w http.ResponseWriter, r *request) error {
	action, do := s.operation(r)
	if do == nil {
		return errUnsupported
	}
	if err := s.authorize(r, action, r.repository); err != nil {
		return err
	}
	return do(w, r)
}

func (s *Server) authorize(r *request, action, repository string) error {
	return s.Catalog.Authorize(r.Context(), r.grant, action, r.scope, repository)
}

// operation is what a request does, and the IAM action that it needs. Blobs are not
// deleted by clients: those that no manifest needs are collected.
func (s *Server) operation(r *request) (action string, do func(http.ResponseWriter, *request) error) {
	switch r.kind + " " + r.Method {
	case "manifests GET", "manifests HEAD":
		return actionPullManifest, s.getManifest
	case "manifests PUT":
		return actionPushManifest, s.putManifest
	case "manifests DELETE":
		return actionDeleteImage, s.deleteManifest
	case "referrers GET":
		return actionPullManifest, s.listReferrers
	case "tags GET":
		return actionListTags, s.listTags
	case "blobs GET":
		return actionPullLayer, s.getLayer
	case "blobs HEAD":
		return actionCheckLayer, s.getLayer
	case "uploads POST":
		return actionBeginUpload, s.beginUpload
	case "uploads GET", "uploads HEAD", "uploads PATCH", "uploads DELETE":
		return actionUploadPart, s.upload
	case "uploads PUT":
		return actionEndUpload, s.endUpload
	}
	return "", nil
}
