package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"

	"fargo/desired"
	"fargo/secret"
	"fargo/sockets"
)

// Network makes sockets inside the routers of VPCs and inside interfaces. An address
// takes one socket at a time. An error means that the address has one, or that none can
// be made now, because what it is in may not exist yet.
type Network interface {
	// ListenTCP listens in the namespace of a VPC or an interface, by its id.
	ListenTCP(in string, addr netip.AddrPort) (net.Listener, error)
}

// Config is the configuration of a server. All fields but DialTLS are required.
type Config struct {
	Network Network
	// DialTLS connects to the control plane where it is served over TLS. It may be nil: then
	// the control plane has to identify itself as any server.
	DialTLS func(ctx context.Context, network, address string) (net.Conn, error)
	// Hidden reports whether a path is none of the APIs', although the control plane
	// answers there.
	Hidden func(path string) bool
	// Channels serves the data channels of this node's sessions of ECS Exec. They end with
	// the context of their request.
	Channels http.Handler
	Logger   *slog.Logger
}

// The bounds of what clients can use.
const (
	// maxConnections are served at once at one address; further ones wait to be accepted.
	maxConnections = 512
	// maxUpstream are the connections to the control plane, which serves others too.
	maxUpstream = 1024
	// maxRequestHead is in bytes. The longest legitimate ones have session tokens or
	// presigned URLs of a few KiB.
	maxRequestHead = 64 << 10
	headTimeout    = 10 * time.Second
	idleTimeout    = 2 * time.Minute
)

// Server answers at all places where Fargo's APIs are.
type Server struct {
	cfg      Config
	handler  http.Handler
	sockets  *sockets.Set[place]
	upstream atomic.Pointer[url.URL] // nil: there is none
	tls      atomic.Pointer[tls.Config]
	// endpoints are the interface endpoints, by the ids of their interfaces.
	endpoints atomic.Pointer[map[string]string]
	// s3 are the addresses of S3 alone, by VPC.
	s3        atomic.Pointer[map[string]desired.ServiceAddress]
	originKey atomic.Pointer[[]byte] // nil: there is none
}

// New makes a server; Run runs it.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg}
	s.handler = s.newProxy()
	s.endpoints.Store(&map[string]string{})
	s.s3.Store(&map[string]desired.ServiceAddress{})
	s.sockets = sockets.New(sockets.Config[place]{Name: "endpoint", Listen: s.listen, Logger: cfg.Logger})
	return s
}

// Set replaces what there is to answer for: the address of every VPC, endpoints, and
// where to forward to. secrets has the private keys that platform names. It may be called
// before Run, by one caller at a time. When it returns, sockets of others are closed, with
// their connections; new ones are opened as soon as they can be. The error is of an
// upstream or a certificate that cannot be used; what was set before stays in its place.
func (s *Server) Set(vpcs []desired.VPC, endpoints []desired.Endpoint, platform desired.Platform, secrets map[desired.SecretID]secret.Text) error {
	if platform.Upstream == "" {
		s.sockets.Set(nil)
		return nil
	}
	s.endpoints.Store(new(byInterface(endpoints)))
	s.s3.Store(new(s3In(vpcs)))
	s.sockets.Set(places(vpcs, endpoints))
	upstream, err := url.Parse(platform.Upstream)
	if err != nil {
		return fmt.Errorf("the address of the APIs: %w", err)
	}
	s.upstream.Store(upstream)
	config, err := tlsConfig(platform.Certificates, secrets)
	if err != nil {
		return err
	}
	s.tls.Store(config)
	if all := platform.Certificates; len(all) > 0 { // any of them would do
		s.originKey.Store(new(desired.OriginKey(secrets[all[0].KeyID].Reveal())))
	}
	return nil
}

// Run answers until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	s.sockets.Run(ctx)
	return nil
}

// tlsConfig has certificates with their keys; SNI chooses among them, and without it the
// first is taken.
func tlsConfig(certificates []desired.Certificate, secrets map[desired.SecretID]secret.Text) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	for _, c := range certificates {
		key, ok := secrets[c.KeyID]
		if !ok {
			return nil, fmt.Errorf("a certificate of the APIs has no key %s", c.KeyID)
		}
		pair, err := tls.X509KeyPair([]byte(c.Chain), []byte(key.Reveal()))
		if err != nil {
			return nil, fmt.Errorf("a certificate of the APIs: %w", err)
		}
		config.Certificates = append(config.Certificates, pair)
	}
	return config, nil
}

// errNoCertificate ends a handshake.
var errNoCertificate = errors.New("there is no certificate")

// listen answers at a place until stop is called.
func (s *Server) listen(_ context.Context, at place) (stop func(), err error) {
	l, err := s.cfg.Network.ListenTCP(at.in, at.addr)
	if err != nil {
		return nil, err
	}
	l = netutil.LimitListener(l, maxConnections)
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	if at.addr.Port() == securePort {
		protocols.SetHTTP2(true)
		l = tls.NewListener(l, &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: s.configForClient})
	}
	ctx, end := context.WithCancel(context.Background())
	server := &http.Server{
		BaseContext: func(net.Listener) context.Context { return ctx }, // of what is no connection of HTTP any more
		Handler:     s.from(at), Protocols: protocols, DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout: headTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxRequestHead,
		ErrorLog: slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelDebug), // what clients do wrong
	}
	closeAll := sockets.ServeHTTP(l, server)
	return func() { end(); closeAll() }, nil
}

func (s *Server) configForClient(*tls.ClientHelloInfo) (*tls.Config, error) {
	config := s.tls.Load()
	if config == nil || len(config.Certificates) == 0 {
		return nil, errNoCertificate
	}
	return config, nil
}
