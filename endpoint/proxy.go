package endpoint

import (
	"net/http"
	"net/http/httputil"
	"net/netip"
	"sync"
	"time"

	"fargo/desired"
)

// newProxy makes what forwards requests.
func (s *Server) newProxy() http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite:       s.rewrite,
		FlushInterval: -1, // at once: bodies are streams
		BufferPool:    &buffers{sync.Pool{New: func() any { return new([bufferSize]byte) }}},
		Transport: &http.Transport{
			DialTLSContext:        s.cfg.DialTLS,
			DisableCompression:    true, // the answer is the client's
			MaxConnsPerHost:       maxUpstream,
			MaxIdleConnsPerHost:   maxConnections,
			IdleConnTimeout:       time.Minute, // less than the control plane's
			ExpectContinueTimeout: headTimeout,
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil {
				s.cfg.Logger.Debug("request not forwarded", "host", r.Host, "err", err)
			}
			refuse(w, r, unavailable)
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodConnect, r.URL.Host != "", r.URL.Path == "" || r.URL.Path[0] != '/':
			refuse(w, r, notForOthers)
		case opensChannel(r):
			s.cfg.Channels.ServeHTTP(w, r)
		case s.cfg.Hidden(r.URL.Path):
			refuse(w, r, unknown)
		case s.upstream.Load() == nil:
			refuse(w, r, unavailable)
		default:
			// An answer may begin before the body has ended; HTTP/2 needs no leave for that.
			_ = http.NewResponseController(w).EnableFullDuplex()
			proxy.ServeHTTP(w, r)
		}
	})
}

// forwarded are what a proxy would take away, although a client may have signed it.
var forwarded = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"}

// rewrite changes nothing but where the request goes: its signature is of the rest.
func (s *Server) rewrite(r *httputil.ProxyRequest) {
	upstream := s.upstream.Load()
	r.Out.URL.Scheme, r.Out.URL.Host = upstream.Scheme, upstream.Host
	r.Out.URL.RawQuery = r.In.URL.RawQuery // also what cannot be parsed
	for _, name := range forwarded {
		if values, ok := r.In.Header[name]; ok {
			r.Out.Header[name] = values
		}
	}
}

// from serves requests that come to a place, which may be for S3 alone: it says where they
// come from, in place of what a client may have said. Before there is a certificate nothing
// is said, as by older nodes.
func (s *Server) from(at place) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if own := (*s.s3.Load())[at.in]; own.Address == at.addr.Addr() && !isOf(own, r.Host) {
			refuse(w, r, notForOthers)
			return
		}
		r.Header.Del(desired.OriginHeader)
		client, err := netip.ParseAddrPort(r.RemoteAddr)
		if key := s.originKey.Load(); key != nil && err == nil {
			o := desired.Origin{At: s.at(at), Client: client.Addr().Unmap(), Secure: r.TLS != nil}
			r.Header.Set(desired.OriginHeader, o.Sign(*key))
		}
		s.handler.ServeHTTP(w, r)
	})
}

// at is the interface endpoint or the VPC of a place.
func (s *Server) at(p place) string {
	if e, ok := (*s.endpoints.Load())[p.in]; ok {
		return e
	}
	return p.in
}

const bufferSize = 32 << 10

// buffers are those that bodies are copied by.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte { return b.pool.Get().(*[bufferSize]byte)[:] }

func (b *buffers) Put(p []byte) { b.pool.Put((*[bufferSize]byte)(p)) }
