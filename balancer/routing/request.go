package routing

import (
	"net/netip"
	"strings"

	"fargo/balancer/http1"
)

// Request is what rules look at.
type Request struct {
	Method    string
	URI       string // as the client sent it
	Authority string // as the client sent it, with its port
	Host      string // Authority in lower case, without port
	Path      string
	Query     string
	Fields    []http1.Field
	Client    netip.AddrPort
	TLS       bool
	// Rewritten is what the target gets in place of Authority, Path and Query; nil
	// for the same. Rules do not look at it.
	Rewritten *Rewritten
}

// HostOf is an authority in lower case, without its port.
func HostOf(authority string) string {
	host, _ := SplitPort(authority)
	return strings.ToLower(host)
}

// SplitPort parts a port, which may be empty, from an authority.
func SplitPort(authority string) (host, port string) {
	i := strings.LastIndexByte(authority, ':')
	if i < 0 || strings.IndexByte(authority[i:], ']') >= 0 {
		return authority, ""
	}
	return authority[:i], authority[i+1:]
}

// TargetURI is what the request line to a target names: the path and the query.
func (r *Request) TargetURI() string {
	if r.Rewritten != nil {
		return r.Rewritten.Target
	}
	return r.ClientURI()
}

// ClientURI is what the client asked for: the path and the query.
func (r *Request) ClientURI() string {
	if r.Query != "" || strings.HasSuffix(r.URI, "?") {
		return r.Path + "?" + r.Query
	}
	return r.Path
}
