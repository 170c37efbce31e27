package upstream

import (
	"context"
	"net"
	"net/http"
	"sync"

	"fargo/balancer/http1"
	"fargo/balancer/http2"
)

// transports are what requests reach a target of HTTP/2 through, by interface.
type transports struct {
	mu     sync.Mutex
	byFrom map[string]*http.Transport
}

// Transport gives what requests of HTTP/2 reach the target through from an
// interface. What it dials ends with the pool's connections; failed is told why
// it could not.
func (p *Pool) Transport(from *Source, failed func(error)) *http.Transport {
	p.streams.mu.Lock()
	defer p.streams.mu.Unlock()
	if tr := p.streams.byFrom[from.Interface]; tr != nil {
		return tr
	}
	tr := &http.Transport{
		DisableCompression:     true,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        maxIdle,
		MaxResponseHeaderBytes: http1.MaxResponseHead,
	}
	http2.Configure(tr, func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := p.Dial(ctx, from, "tcp")
		if err != nil {
			failed(err)
		}
		return conn, err
	})
	if p.streams.byFrom == nil {
		p.streams.byFrom = map[string]*http.Transport{}
	}
	p.streams.byFrom[from.Interface] = tr
	return tr
}

// closeIdle closes the connections on which there is no request.
func (s *transports) closeIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, tr := range s.byFrom {
		tr.CloseIdleConnections()
	}
}
