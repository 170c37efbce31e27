package containerd

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"
)

// transports are the HTTP transports to registries. All pulls share them, and so
// their connections.
type transports struct {
	rules Registries
	// proxy is the machine's for a request, nil when there is none.
	proxy func(*http.Request) (*url.URL, error)
	// trusted connects to any address, through a proxy if the machine has one.
	trusted *http.Transport
	// guarded connects without a proxy, and checks each address before it connects.
	guarded *http.Transport
	// own connects to the control plane's registry, without a proxy.
	own *http.Transport
}

func newTransports(c Config) *transports {
	g := &transports{rules: c.Registries, proxy: http.ProxyFromEnvironment, trusted: newTransport(), guarded: newTransport(), own: newTransport()}
	g.own.DialContext, g.own.DialTLSContext = (&net.Dialer{Timeout: dialTimeout}).DialContext, c.DialOwnTLS
	g.trusted.Proxy = func(r *http.Request) (*url.URL, error) { return g.proxy(r) }
	g.trusted.DialContext = (&net.Dialer{Timeout: dialTimeout}).DialContext
	g.guarded.DialContext = g.dial
	return g
}

const dialTimeout = 30 * time.Second

func newTransport() *http.Transport {
	return &http.Transport{
		TLSHandshakeTimeout:   10 * time.Second,
		MaxIdleConnsPerHost:   4,
		IdleConnTimeout:       30 * time.Second,
		ExpectContinueTimeout: 5 * time.Second,
	}
}

// dial connects to a host at the addresses that registries may have. What a name
// stands for is decided here and nowhere else: it may be another one the next
// time it is looked up.
func (g *transports) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: dialTimeout, Control: func(_, resolved string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(resolved)
		if err != nil {
			return fmt.Errorf("address %q: %w", resolved, err)
		}
		return g.rules.address(host, at.Addr(), at.Port())
	}}
	return dialer.DialContext(ctx, network, address)
}

// A pullTransport is the transport of one pull: every request of it comes through here,
// those that a registry sends us on too.
type pullTransport struct {
	*transports
	// endpoint is the host and port of desired.PullSource.Endpoint, which the
	// control plane has chosen and no task; empty when there is none.
	endpoint string
}

func (g *pullTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	if g.endpoint != "" && hostPort(request.URL) == g.endpoint {
		return g.own.RoundTrip(request)
	}
	host, port := request.URL.Hostname(), portOf(request.URL)
	trusted, err := g.rules.name(host, port)
	if err != nil {
		return nil, err
	}
	if trusted {
		return g.trusted.RoundTrip(request)
	}
	proxy, err := g.proxy(request)
	if err != nil {
		return nil, err
	}
	if proxy == nil {
		return g.guarded.RoundTrip(request)
	}
	// The proxy looks names up, on its machine; what is an address is one there
	// too.
	if addr, err := netip.ParseAddr(host); err == nil {
		if err := g.rules.address(host, addr, port); err != nil {
			return nil, err
		}
	}
	return g.trusted.RoundTrip(request)
}

func hostPort(u *url.URL) string {
	return net.JoinHostPort(hostName(u.Hostname()), strconv.Itoa(int(portOf(u))))
}

// portOf is the port that a URL means; 0 when it is none.
func portOf(u *url.URL) uint16 {
	switch text := u.Port(); {
	case text != "":
		n, _ := strconv.ParseUint(text, 10, 16)
		return uint16(n)
	case u.Scheme == "http":
		return 80
	default:
		return 443
	}
}
