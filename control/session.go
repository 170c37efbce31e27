package control

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"fargo"
	"fargo/desired"
	"fargo/plan"
)

// Sessions are the sessions that nodes have had since this control plane began to
// listen. They are kept in memory: none outlives the process, and no write is needed to
// know that a node is still connected.
type Sessions struct {
	began time.Time
	mu    struct {
		sync.Mutex
		newest map[string]*session // by node
	}
}

// session is one that a node has, or had last.
type session struct {
	ended time.Time // zero while it lasts
	empty bool      // the node has reported that it is empty
	// targets are the latest reports on targets' health, by the targets' keys. Whose
	// count may change without a new report: then the target controller looks here.
	targets map[string]desired.TargetReport
}

// NewSessions are those of a control plane that begins to listen now.
func NewSessions() *Sessions {
	s := &Sessions{began: time.Now()}
	s.mu.newest = map[string]*session{}
	return s
}

// open begins a session, which takes the place of the node's last one and lasts as
// long as ctx.
func (s *Sessions) open(ctx context.Context, node string) {
	opened := &session{targets: map[string]desired.TargetReport{}}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.newest[node] = opened
	context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		opened.ended = time.Now()
	})
}

// empty notes that a node has reported that it is empty.
func (s *Sessions) empty(node string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if newest := s.mu.newest[node]; newest != nil {
		newest.empty = true
	}
}

// reportTargets notes what a node has reported of targets.
func (s *Sessions) reportTargets(node string, reports []desired.TargetReport) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if newest := s.mu.newest[node]; newest != nil {
		for _, r := range reports {
			newest.targets[fargo.TargetKey(r.Group, r.ID, r.Port)] = r
		}
	}
}

// target is what a node has reported last of a target it checks.
func (s *Sessions) target(node, key string) (r desired.TargetReport, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if newest := s.mu.newest[node]; newest != nil {
		r, ok = newest.targets[key]
	}
	return r, ok
}

// stopChecking drops what a node has reported of target groups that it checks no more.
func (s *Sessions) stopChecking(node string, groups []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if newest := s.mu.newest[node]; newest != nil && len(groups) > 0 {
		maps.DeleteFunc(newest.targets, func(_ string, r desired.TargetReport) bool { return slices.Contains(groups, r.Group) })
	}
}

// dropTarget drops what nodes have reported of a target that is gone.
func (s *Sessions) dropTarget(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, newest := range s.mu.newest {
		delete(newest.targets, key)
	}
}

// forget drops what is known of a node that has no session.
func (s *Sessions) forget(node string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.mu.newest, node)
}

// contact is what is known of a node's sessions at now.
func (s *Sessions) contact(node string, now time.Time) plan.NodeContact {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch newest := s.mu.newest[node]; {
	case newest == nil:
		return plan.NodeContact{LastSeen: s.began}
	case newest.ended.IsZero():
		return plan.NodeContact{Connected: true, Empty: newest.empty, LastSeen: now}
	default:
		return plan.NodeContact{LastSeen: newest.ended}
	}
}
