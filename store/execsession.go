package store

import (
	"slices"
	"time"

	"fargo/record"
)

// The indexes of ExecSessions.
const (
	ExecSessionByNode = "node" // by node id; those that its node should serve
	ExecSessionByTask = "task" // by the task's key
	ExecSessionByID   = "id"   // unique among all scopes
)

// ExecSessions are the sessions of ECS Exec, by scope and id.
var ExecSessions = NewTable("execsession", (*record.ExecSession).Key,
	Index[record.ExecSession]{ExecSessionByNode, func(s *record.ExecSession) []string {
		if s.Ended() || !s.TerminatedAt.IsZero() {
			return nil
		}
		return []string{s.Node}
	}},
	Index[record.ExecSession]{ExecSessionByID, func(s *record.ExecSession) []string { return []string{s.ID} }},
	Index[record.ExecSession]{ExecSessionByTask, func(s *record.ExecSession) []string { return []string{s.TaskKey()} }},
)

// maxEndedExecSessions are kept of one task.
const maxEndedExecSessions = 100

// ForgetExecSessions removes the oldest of a task's sessions that have ended, as far as
// there are too many.
func ForgetExecSessions(tx *Tx, task string) {
	var ended []*record.ExecSession
	for s := range ExecSessions.By(tx, ExecSessionByTask, task) {
		if s.Ended() {
			ended = append(ended, s)
		}
	}
	if len(ended) <= maxEndedExecSessions {
		return
	}
	slices.SortFunc(ended, func(a, b *record.ExecSession) int { return a.EndedAt.Compare(b.EndedAt) })
	for _, s := range ended[:len(ended)-maxEndedExecSessions] {
		ExecSessions.Delete(tx, s.Key())
	}
}

// EndExecSession notes that a session is over.
func EndExecSession(tx *Tx, s *record.ExecSession, at time.Time, exitCode *int, reason string) {
	ended := *s
	ended.EndedAt, ended.ExitCode, ended.EndReason = at, exitCode, reason
	ExecSessions.Put(tx, &ended)
}
