package balancer

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"fargo"
	"fargo/balancer/health"
	"fargo/balancer/listener"
	"fargo/balancer/metrics"
	"fargo/balancer/objectlog"
	"fargo/balancer/targetgroup"
	"fargo/balancer/tlsconfig"
)

// Config is what a server is made of.
type Config struct {
	Network Network
	Logger  *slog.Logger
	// Pace divides the time of slow start, and that of a log's file. Timeouts are as
	// configured.
	Pace fargo.Pace
	// Turn is where turns begin, of target groups and of rules that have several:
	// servers side by side should not all begin with the same target.
	Turn uint64
	// AccessLogs is the directory for what goes to S3: access logs are written to
	// files in it, whose names begin with the bucket's. When it is empty there
	// are none, whatever the attributes say.
	AccessLogs string
}

// Server runs the load balancers of one node.
type Server struct {
	network Network
	logger  *slog.Logger
	pace    fargo.Pace
	turn    uint64

	logs    objectlog.Dir
	metrics metrics.Registry

	ctx    context.Context // ends all that was started
	cancel context.CancelFunc
	tasks  sync.WaitGroup
	ended  chan struct{} // closed when Run returns

	mu struct {
		sync.Mutex
		closed    bool
		balancers map[string]*listener.LoadBalancer
		groups    map[string]*targetgroup.Group
		sockets   map[socketKey]*socket
		// closing sockets still have connections.
		closing map[*socket]struct{}
		wanted  map[socketKey]*listener.Listener
		known   health.ByTarget
		secrets tlsconfig.Secrets // see SetTickets and SetKeys
	}
}

// New makes a server that runs nothing yet.
func New(c Config) *Server {
	s := &Server{network: c.Network, logger: c.Logger, pace: c.Pace, turn: c.Turn, logs: objectlog.Dir{Root: c.AccessLogs, Pace: c.Pace}, ended: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.mu.balancers = map[string]*listener.LoadBalancer{}
	s.mu.groups = map[string]*targetgroup.Group{}
	s.mu.sockets = map[socketKey]*socket{}
	s.mu.closing = map[*socket]struct{}{}
	return s
}

// Times of the server's own housekeeping.
const (
	bindRetry  = time.Second
	pruneEvery = 5 // bind retries
	closePoll  = 10 * time.Millisecond
	lameDuck   = 2 * time.Second
)

// Run keeps the server going until ctx ends or Close is called: it opens
// sockets that could not be opened at first and closes connections to targets that
// are idle for too long. Before it returns, nil, all that Set has started has ended,
// requests under way included.
func (s *Server) Run(ctx context.Context) error {
	defer close(s.ended)
	tick := time.NewTicker(bindRetry)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			s.stop()
			return nil
		case <-s.ctx.Done():
			s.tasks.Wait()
			return nil
		case <-tick.C:
		}
		s.bind(false)
		s.flushLogs(false)
		if n%pruneEvery == 0 {
			s.prune()
		}
	}
}

// Ended is closed when Run has returned: Metrics has all by then that there ever was.
func (s *Server) Ended() <-chan struct{} { return s.ended }

// Close stops listening, lets requests under way finish until ctx ends, and
// then ends all. Set does nothing afterwards. A client that keeps its connection
// is told with its next answer to come on another, and has lameDuck for that.
func (s *Server) Close(ctx context.Context) error {
	s.stopListening()
	idle := time.NewTimer(lameDuck)
	defer idle.Stop()
	poll := time.NewTicker(closePoll)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			s.stop()
			return ctx.Err()
		case <-idle.C:
			s.closeIdle()
		case <-poll.C:
			if !s.busy() {
				s.stop()
				return nil
			}
		}
	}
}

// stopListening stops listening for good.
func (s *Server) stopListening() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.closed = true
	s.mu.wanted = nil
	for key, k := range s.mu.sockets {
		s.retire(key, k)
	}
}

// closeIdle closes connections that are between requests.
func (s *Server) closeIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.mu.closing {
		k.closeIdle()
	}
}

// busy reports whether there are connections.
func (s *Server) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.mu.closing {
		if len(k.Conns.List()) > 0 {
			return true
		}
	}
	return false
}

// stop ends all at once.
func (s *Server) stop() {
	s.stopListening()
	s.mu.Lock()
	s.cancel()
	for k := range s.mu.closing {
		k.Conns.CloseAll()
	}
	for _, g := range s.mu.groups {
		g.CloseAll()
	}
	s.mu.Unlock()
	s.tasks.Wait()
	s.flushLogs(true)
}

// flushLogs writes what is buffered of logs to their files, and with end closes them.
func (s *Server) flushLogs(end bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.mu.balancers {
		if err := b.FlushLogs(end); err != nil {
			s.logger.Warn("logs were not written", "balancer", b.Name, "error", err)
		}
	}
}

// retire closes a socket, whose connections may go on. The caller holds mu.
func (s *Server) retire(key socketKey, k *socket) {
	delete(s.mu.sockets, key)
	s.mu.closing[k] = struct{}{}
	k.close()
}

// drop forgets a socket that was closed by the network, so that Run opens it again.
func (s *Server) drop(k *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.sockets[k.socketKey] == k {
		s.logger.Warn("socket was closed by the network", "socket", k.socketKey)
		s.retire(k.socketKey, k)
		k.closeIdle()
	}
}

// prune closes connections that were idle for too long, and forgets sockets without
// connections.
func (s *Server) prune() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.mu.closing {
		if len(k.Conns.List()) == 0 {
			delete(s.mu.closing, k)
		}
	}
	for _, g := range s.mu.groups {
		g.Prune()
	}
}

// Metrics gives all that was counted until now, and what is so now.
func (s *Server) Metrics() []metrics.Counted {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.metrics.Counted()
	for i := range all {
		c := &all[i]
		if g := s.mu.groups[c.Group]; g != nil && c.State != nil {
			*c.State = g.State(c.Zone)
		}
	}
	return all
}
