package main

import (
	"net/http"

	"fargo/api"
	"fargo/desired"
	"fargo/store"
)

// originOf reads where in a VPC a request comes from: what a node has signed with the key
// of a certificate of the APIs that there is now.
func originOf(r store.Reader, header string) (desired.Origin, bool) {
	for c := range store.PlatformCertificates.All(r) {
		if o, ok := desired.OpenOrigin(header, desired.OriginKey(c.PrivateKey)); ok {
			return o, true
		}
	}
	return desired.Origin{}, false
}

// serveRegistry has the registry's clients known to IAM by where they come from. It answers
// as the APIs do when that is signed with no key that is known now.
func (p *plane) serveRegistry(w http.ResponseWriter, r *http.Request) {
	var from *desired.Origin
	if header := r.Header.Get(desired.OriginHeader); header != "" {
		o, ok := originOf(p.db.View(), header)
		if !ok {
			http.Error(w, "it is not known where the request comes from", http.StatusServiceUnavailable)
			return
		}
		from = &o
	}
	p.pushed.ServeHTTP(w, r.WithContext(api.WithClient(r.Context(), api.ClientOf(r, from))))
}
