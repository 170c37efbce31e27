package taskmetadata

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"

	"fargo/desired"
	"fargo/host"
	"fargo/sockets"
)

// Address is where tasks ask.
var Address = netip.MustParseAddrPort("169.254.170.2:80")

// Network makes sockets inside the routers of VPCs. An address takes one socket at a time.
type Network interface {
	ListenTCP(vpc string, addr netip.AddrPort) (net.Listener, error)
	// InterfaceStatistics counts what has gone through a task's interface.
	InterfaceStatistics(interfaceID string) (host.InterfaceStatistics, error)
}

// Containers counts what containers use.
type Containers interface {
	Statistics(taskID, containerID string) (host.Statistics, error)
}

// Tasks is the node, as far as its tasks may know it.
type Tasks interface {
	// TaskAt finds the task whose interface has an address in a VPC.
	TaskAt(vpc string, a netip.Addr) (t *host.Task, ok bool)
	// Credentials gives those of a task's role that are good for longest. It waits for
	// them for as long as ctx lasts.
	Credentials(ctx context.Context, t *host.Task) (desired.RoleCredentials, error)
	// Tags asks the control plane for a task's tags.
	Tags(ctx context.Context, t *host.Task) (map[string]string, error)
	// NextInvocation waits for what a task that runs a function is to do, and
	// PutInvocationResult until the control plane knows how that has ended, both for as
	// long as ctx lasts. errdefs.IsNotFound holds for the error when there is no such
	// invocation.
	NextInvocation(ctx context.Context, t *host.Task) (desired.Invocation, error)
	PutInvocationResult(ctx context.Context, t *host.Task, r desired.InvocationResult) error
}

// Config is the configuration of a server. All fields but DialTLS are required.
type Config struct {
	Network    Network
	Containers Containers
	Tasks      Tasks
	// DialTLS connects to the APIs where they are served over TLS. It may be nil: then they
	// have to identify themselves as any server.
	DialTLS func(ctx context.Context, network, address string) (net.Conn, error)
	// Clock says how far the machine's clock may be off.
	Clock  func() (bound time.Duration, synchronized bool, err error)
	Logger *slog.Logger
}

// The bounds of what tasks can use.
const (
	// maxConnections are served at once in one VPC; further ones wait to be accepted.
	maxConnections = 1024
	maxRequestHead = 16 << 10 // bytes
	headTimeout    = 10 * time.Second
	idleTimeout    = time.Minute
)

// Server answers the tasks of all VPCs.
type Server struct {
	cfg      Config
	sockets  *sockets.Set[place]
	samples  samples
	upstream atomic.Pointer[string]
	client   *http.Client // of the APIs
}

// New makes a server; Run runs it.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg, client: &http.Client{
		Timeout: protectionTimeout, Transport: &http.Transport{DialTLSContext: cfg.DialTLS, IdleConnTimeout: idleTimeout},
	}}
	s.samples.of = map[string]*series{}
	s.sockets = sockets.New(sockets.Config[place]{Name: "task metadata", Listen: s.listen, Logger: cfg.Logger})
	return s
}

// Set replaces the VPCs there are. upstream is the base URL of the APIs as this machine
// reaches them, empty for none. It may be called before Run, by one caller at a time. When
// it returns, the sockets in others are closed, with their connections.
func (s *Server) Set(vpcs []desired.VPC, upstream string) {
	s.upstream.Store(&upstream)
	places := make([]place, len(vpcs))
	for i := range vpcs {
		places[i] = place{vpcs[i].ID}
	}
	s.sockets.Set(places)
}

// Run answers until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	s.sockets.Run(ctx)
	return nil
}

// place is where a socket should be.
type place struct{ vpc string }

func (p place) String() string { return Address.String() + " in " + p.vpc }

// listen answers in a VPC until stop is called.
func (s *Server) listen(_ context.Context, at place) (stop func(), err error) {
	l, err := s.cfg.Network.ListenTCP(at.vpc, Address)
	if err != nil {
		return nil, err
	}
	l = netutil.LimitListener(l, maxConnections)
	server := &http.Server{
		Handler: s.handler(at.vpc), DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout: headTimeout, ReadTimeout: 2 * headTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxRequestHead,
		ErrorLog: slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelDebug), // what tasks do wrong
	}
	return sockets.ServeHTTP(l, server), nil
}
