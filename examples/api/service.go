package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// service answers requests.
type service struct {
	version string
	logger  *slog.Logger
	exit    func(code int)

	mu struct {
		sync.Mutex
		held [][]byte
	}
}

func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.hello)
	mux.HandleFunc("GET /health", s.health)
	mux.HandleFunc("/burn", s.burn)
	mux.HandleFunc("/alloc", s.alloc)
	mux.HandleFunc("/crash", s.crash)
	return s.logged(mux)
}

// hello answers with version and host: as text, or as JSON when the client accepts it.
func (s *service) hello(w http.ResponseWriter, r *http.Request) {
	host, err := os.Hostname()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		s.answer(w, map[string]string{"version": s.version, "hostname": host})
		return
	}
	fmt.Fprintf(w, "api %s on %s\n", s.version, host)
}

func (s *service) health(w http.ResponseWriter, _ *http.Request) {
	s.answer(w, map[string]string{"status": "healthy"})
}

// burn keeps one core busy for ?ms= milliseconds, or until the client leaves.
func (s *service) burn(w http.ResponseWriter, r *http.Request) {
	ms, ok := number(w, r, "ms", 100)
	if !ok {
		return
	}
	start, sum, rounds := time.Now(), [32]byte{}, 0
	for end := start.Add(time.Duration(ms) * time.Millisecond); time.Now().Before(end) && r.Context().Err() == nil; rounds++ {
		sum = sha256.Sum256(sum[:])
	}
	s.answer(w, map[string]any{"ms": time.Since(start).Milliseconds(), "rounds": rounds, "sum": hex.EncodeToString(sum[:4])})
}

// alloc allocates ?mb= more MiB and writes to all of it, so that it is resident; 0
// frees everything.
func (s *service) alloc(w http.ResponseWriter, r *http.Request) {
	mb, ok := number(w, r, "mb", 1)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if mb == 0 {
		s.mu.held = nil
	}
	for range mb {
		block := make([]byte, 1<<20)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}
		s.mu.held = append(s.mu.held, block)
	}
	s.answer(w, map[string]int{"mb": len(s.mu.held)})
}

// crash ends the process at once with ?code=, without an answer.
func (s *service) crash(w http.ResponseWriter, r *http.Request) {
	code, ok := number(w, r, "code", 1)
	if !ok {
		return
	}
	s.logger.Error("crashing on request", "code", code)
	s.exit(code)
}

// number reads a parameter that is a natural number.
func number(w http.ResponseWriter, r *http.Request, name string, otherwise int) (n int, ok bool) {
	v := r.URL.Query().Get(name)
	if v == "" {
		return otherwise, true
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		http.Error(w, name+" must be a natural number", http.StatusBadRequest)
		return 0, false
	}
	return n, true
}

func (s *service) answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.logger.Warn("cannot answer", "err", err)
	}
}

// logged writes one line for each request.
func (s *service) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, seen := time.Now(), &recorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		s.logger.Info("request", "method", r.Method, "path", r.URL.RequestURI(), "status", seen.status,
			"ms", time.Since(start).Milliseconds(), "client", r.RemoteAddr, "version", s.version)
	})
}

// recorder remembers an answer's status.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements [http.ResponseWriter].
func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}
