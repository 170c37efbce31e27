package ecsexec

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"fargo/desired"
	"fargo/session"
)

// Config is what a server is made of. All fields are required.
type Config struct {
	Runtime Runtime
	Link    Link
	// Dir is the server's own folder, which outlives the process.
	Dir    string
	Logger *slog.Logger
}

// Server serves the sessions of a node.
type Server struct {
	cfg  Config
	disk disk

	mu struct {
		sync.Mutex
		desired map[string]desired.ExecSession // by id
		// sessions are those to which a client has come, by id: until they are neither
		// running nor desired.
		sessions map[string]*served
		changed  chan struct{} // closed when desired or start is another
		// start runs something until Run ends; nil before and after Run.
		start func(func(context.Context))
	}
}

// New makes a server; Run runs it.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg, disk: disk{cfg.Dir}}
	s.mu.sessions = map[string]*served{}
	s.mu.changed = make(chan struct{})
	return s
}

// Run serves until ctx ends. Then it ends all sessions. Those that a process before has
// left are reported as ended. The error is of a folder that cannot be read.
func (s *Server) Run(ctx context.Context) error {
	left, err := s.disk.load()
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	start := func(do func(context.Context)) { all.Go(func() { do(ctx) }) }
	for _, k := range left {
		start(func(ctx context.Context) { s.recover(ctx, k) })
	}
	s.setStart(start)
	<-ctx.Done()
	s.setStart(nil)
	all.Wait()
	return nil
}

func (s *Server) setStart(start func(func(context.Context))) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.start = start
	s.change()
}

// change tells those who wait that a session may be there. mu is held.
func (s *Server) change() {
	close(s.mu.changed)
	s.mu.changed = make(chan struct{})
}

// Set replaces the sessions that the node should serve. Those that are running and no
// longer wanted end.
func (s *Server) Set(wanted []desired.ExecSession) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.desired = make(map[string]desired.ExecSession, len(wanted))
	for _, d := range wanted {
		s.mu.desired[d.ID] = d
	}
	for id, served := range s.mu.sessions {
		if _, is := s.mu.desired[id]; is {
			continue
		}
		if served.over {
			delete(s.mu.sessions, id)
		} else {
			served.agent.End(endedElsewhere)
		}
	}
	s.change()
}

// endedElsewhere is what a client is told of a session that was ended by the API, or whose
// task has ended.
const endedElsewhere = "The session was terminated."

// tokenWait is how long a client may be faster than the control plane, which tells the
// node of its session, or of its new token, while it answers the client.
const tokenWait = 5 * time.Second

// ServeHTTP opens the data channel of the session that the path names last.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("session")
	conn, opening, err := session.Accept(w, r)
	if err != nil {
		s.cfg.Logger.Debug("no data channel", "session", id, "err", err)
		return
	}
	defer conn.Close()
	served, err := s.admit(r.Context(), id, opening.Token.Reveal())
	if err != nil {
		s.cfg.Logger.Info("no data channel", "session", id, "from", r.RemoteAddr, "err", err)
		return
	}
	if err := served.agent.Serve(r.Context(), conn); err != nil {
		s.cfg.Logger.Debug("data channel lost", "session", id, "err", err)
	}
}

var errNotAdmitted = errors.New("there is no such session, or its token is another, was used, or has expired")

// admit finds the session that a token opens. The token opens nothing from then on.
func (s *Server) admit(ctx context.Context, id, token string) (*served, error) {
	ctx, cancel := context.WithTimeout(ctx, tokenWait)
	defer cancel()
	for {
		found, changed, err := s.tryAdmit(id, token)
		if found != nil || err != nil {
			return found, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, errNotAdmitted
		}
	}
}

func (s *Server) tryAdmit(id, token string) (found *served, changed <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.mu.desired[id]
	if !ok || s.mu.start == nil || !d.Opens(token, time.Now()) {
		return nil, s.mu.changed, nil
	}
	known := s.mu.sessions[id]
	switch {
	case known == nil && d.Begun: // by a process that has died: it is reported as ended
		return nil, nil, errNotAdmitted
	case known == nil:
		known = newServed(s, d)
		s.mu.sessions[id] = known
		s.mu.start(known.run)
	case known.over || known.token == d.TokenHash:
		return nil, nil, errNotAdmitted
	}
	known.token = d.TokenHash
	return known, nil, nil
}

// ended notes that a session is over.
func (s *Server) ended(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.sessions[id].over = true
	if _, is := s.mu.desired[id]; !is {
		delete(s.mu.sessions, id)
	}
}
