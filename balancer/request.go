package balancer

import (
	"net/netip"
	"strings"

	"fargo/balancer/http1"
)

// request is what rules look at.
type request struct {
	Method    string
	URI       string // as the client sent it
	Authority string // as the client sent it, with its port
	Host      string // Authority in lower case, without port
	Path      string
	Query     string
	Fields    []http1.Field
	Client    netip.AddrPort
	TLS       bool
	// rewritten is what the target gets in place of Authority, Path and Query; nil
	// for the same. Rules do not look at it.
	rewritten *rewritten
}

// hostOf is an authority in lower case, without its port.
func hostOf(authority string) string {
	host, _ := splitPort(authority)
	return strings.ToLower(host)
}

// splitPort parts a port, which may be empty, from an authority.
func splitPort(authority string) (host, port string) {
	i := strings.LastIndexByte(authority, ':')
	if i < 0 || strings.IndexByte(authority[i:], ']') >= 0 {
		return authority, ""
	}
	return authority[:i], authority[i+1:]
}

// targetURI is what the request line to a target names: the path and the query.
func (r *request) targetURI() string {
	if r.rewritten != nil {
		return r.rewritten.target
	}
	return r.clientURI()
}

// clientURI is what the client asked for: the path and the query.
func (r *request) clientURI() string {
	if r.Query != "" || strings.HasSuffix(r.URI, "?") {
		return r.Path + "?" + r.Query
	}
	return r.Path
}
