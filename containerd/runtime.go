package containerd

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/defaults"
	"github.com/containerd/containerd/v2/pkg/dialer"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"
	"github.com/containerd/log"
	"github.com/containerd/ttrpc"
	"github.com/sirupsen/logrus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"

	"fargo/containerd/carried"
)

// Config is all that a Runtime needs. Every field but Binaries, Cgroup, Registries and
// DialOwnTLS is required.
type Config struct {
	Address   string // of containerd's socket
	Namespace string // of containerd, ours alone: "fargo-<instance>"
	// StateDir is for what dies with the machine: runc's records and the pipes
	// of exec. Usually that of the [Daemon].
	StateDir string
	// MemoryDir is for secrets of containers. It must be on a file system in memory:
	// whoever makes a Runtime answers for that.
	MemoryDir string
	// SourcesDir is where sources of mounts are attached while containers are made.
	SourcesDir string
	// Binaries are the shim, runc and init to use. Runc that is empty is left to
	// the daemon to find. Shim must be empty when the daemon is not ours: then it
	// starts its own. Without Init, containers that want one are refused.
	Binaries carried.Binaries
	// Helper is the command line of a program that calls [confined.Serve]: what
	// reads images runs in processes of its own.
	Helper []string
	// Cgroup is that of the [Daemon], where shims go; empty means ours.
	Cgroup string
	// Registries says where images may come from.
	Registries Registries
	// DialOwnTLS connects to the registry at desired.PullSource.Endpoint where that is over
	// TLS. It may be nil: then the registry has to identify itself as any other.
	DialOwnTLS func(ctx context.Context, network, address string) (net.Conn, error)
	Logger     *slog.Logger
}

// Runtime makes, runs, shows and removes containers. Its methods may be called
// at the same time, and repeated after a crash at any line: what is done already
// is a success.
//
// While containerd is away a call waits for it until its context ends.
type Runtime struct {
	config Config
	conn   *grpc.ClientConn
	client *client.Client
	images imageCache
	// connections counts how often we were connected to a containerd.
	connections atomic.Int64
	// waiting are ids of containers that we have created and not tried to start:
	// nobody need be asked what state they are in.
	waiting sync.Map

	transports *transports
	pulls      pullGroup
	shims      shims
	reading    sync.Mutex // one image's document at a time
	// unpackers and readers have a place for each process that may be at work on
	// an image.
	unpackers, readers chan struct{}

	mu struct {
		sync.Mutex
		snapshotter string // "" until known
	}
}

// New returns a Runtime on the containerd at config.Address, which need not run
// yet.
func New(config Config) (*Runtime, error) {
	r := &Runtime{
		config: config, transports: newTransports(config), unpackers: make(chan struct{}, unpackers), readers: make(chan struct{}, readers),
	}
	r.shims.taken = make(chan struct{}, 1)
	r.shims.mu.ofTask = map[string]func() (string, error){}
	conn, err := grpc.NewClient(dialer.DialAddress(config.Address),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(r.dial),
		// A daemon that died is back in a tenth of a second; do not wait longer.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 10 * time.Millisecond, Multiplier: 1.5, MaxDelay: 500 * time.Millisecond},
			MinConnectTimeout: 5 * time.Second,
		}),
		grpc.WithDefaultCallOptions(
			grpc.WaitForReady(true),
			grpc.MaxCallRecvMsgSize(defaults.DefaultMaxRecvMsgSize),
			grpc.MaxCallSendMsgSize(defaults.DefaultMaxSendMsgSize),
		),
	)
	if err != nil {
		return nil, fmt.Errorf("connect to containerd: %w", err)
	}
	c, err := client.NewWithConn(conn)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("connect to containerd: %w", err)
	}
	r.conn, r.client = conn, c
	return r, nil
}

// dial connects to a containerd, which may be another than before, and may have
// lost what the other had.
func (r *Runtime) dial(ctx context.Context, address string) (net.Conn, error) {
	connection, err := dialer.ContextDialer(ctx, address)
	if err == nil {
		r.images.forget()
		r.connections.Add(1)
	}
	return connection, err
}

// Close ends the connection to containerd. Containers go on.
func (r *Runtime) Close() error { return r.conn.Close() }

// in puts calls into our namespace of containerd. What its client would log of
// its own accord, to stderr, is also in the errors it returns.
func (r *Runtime) in(ctx context.Context) context.Context {
	return log.WithLogger(namespaces.WithNamespace(ctx, r.config.Namespace), silence)
}

var silence = logrus.NewEntry(&logrus.Logger{Out: io.Discard, Formatter: new(logrus.TextFormatter), Level: logrus.PanicLevel})

// again calls do, which must be repeatable, until neither containerd nor the
// shim it asks vanishes in the middle of it.
func again(ctx context.Context, do func() error) error {
	for {
		err := do()
		if !vanished(err) || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// retryPolicy says how often something is tried that fails.
type retryPolicy struct {
	attempts int
	pause    time.Duration
	final    func(error) bool // trying again changes nothing
}

// retry calls do, which must be repeatable, until it succeeds, or was tried
// often enough; when something happened to containerd in the middle of it, that
// does not count. It returns how often it was tried.
func (r *Runtime) retry(ctx context.Context, how retryPolicy, do func() error) (attempts int, err error) {
	for attempts = 1; ; {
		connections := r.connections.Load()
		if err = do(); err == nil || how.final(err) || ctx.Err() != nil {
			return attempts, err
		}
		pause := 20 * time.Millisecond
		if disturbed := vanished(err) || r.connections.Load() != connections; !disturbed {
			if attempts == how.attempts {
				return attempts, err
			}
			attempts++
			pause = how.pause
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// vanished says that the one who was asked died. A dead containerd comes back,
// and what a dead shim leaves containerd cleans up, within a moment.
func vanished(err error) bool {
	return errdefs.IsUnavailable(err) || err != nil && strings.Contains(err.Error(), ttrpc.ErrClosed.Error())
}

// snapshotter is overlayfs, or native (plain copies) where the daemon's file
// system cannot do that.
func (r *Runtime) snapshotter(ctx context.Context) (string, error) {
	r.mu.Lock()
	known := r.mu.snapshotter
	r.mu.Unlock()
	if known != "" {
		return known, nil
	}
	found, err := r.client.IntrospectionService().Plugins(ctx, "type==io.containerd.snapshotter.v1,id==overlayfs")
	if err != nil {
		return "", fmt.Errorf("ask for snapshotters: %w", err)
	}
	known = "native"
	for _, plugin := range found.Plugins {
		if plugin.InitErr == nil {
			known = "overlayfs"
		}
	}
	r.mu.Lock()
	r.mu.snapshotter = known
	r.mu.Unlock()
	return known, nil
}

// mountPoint is an empty directory. The processes that read images mount there,
// each for itself; here nothing ever is.
func (r *Runtime) mountPoint() (string, error) {
	dir := filepath.Join(r.config.StateDir, "image")
	return dir, os.MkdirAll(dir, 0o700)
}

func (r *Runtime) runcRoot() string { return runcRoot(r.config.StateDir) }

// runcRoot has runc's records, by namespace and container.
func runcRoot(stateDir string) string { return filepath.Join(stateDir, "runc") }

// unique is a name that no other process or call uses.
func (r *Runtime) unique(prefix string) string {
	return prefix + "-" + strconv.FormatUint(rand.Uint64(), 36)
}
