package ecsexec

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"fargo/desired"
)

// kept is a session that has begun and is not yet reported as ended, as it is on disk.
type kept struct {
	Session desired.ExecSession       `json:"session"`
	Report  desired.ExecSessionReport `json:"report"`
}

// disk is a server's folder: a file for each session that has begun, and one for its
// transcript, until the control plane has both.
type disk struct{ dir string }

func (d disk) file(id string) string       { return filepath.Join(d.dir, id+".json") }
func (d disk) transcript(id string) string { return filepath.Join(d.dir, id+".log") }

// save keeps a session.
func (d disk) save(k kept) error {
	data, err := json.Marshal(k)
	if err != nil {
		return err
	}
	next := d.file(k.Session.ID) + ".new"
	if err := os.WriteFile(next, data, 0o600); err != nil {
		return fmt.Errorf("keeping a session: %w", err)
	}
	return os.Rename(next, d.file(k.Session.ID))
}

// load gives the sessions that a process before has kept. What is damaged is removed: the
// control plane ends such a session by itself.
func (d disk) load() (all []kept, err error) {
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return nil, fmt.Errorf("the folder of sessions: %w", err)
	}
	files, err := filepath.Glob(d.file("*"))
	if err != nil {
		return nil, err
	}
	for _, path := range files {
		var k kept
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("a session of before: %w", err)
		}
		if err := json.Unmarshal(data, &k); err != nil || d.file(k.Session.ID) != path {
			if err := os.Remove(path); err != nil {
				return nil, fmt.Errorf("a damaged session of before: %w", err)
			}
			continue
		}
		all = append(all, k)
	}
	return all, nil
}

// remove forgets a session.
func (d disk) remove(id string) error {
	var errs []error
	for _, path := range []string{d.transcript(id), d.file(id)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// restarted is why a session has ended that a process before had.
const restarted = "the node was restarted"

// recover ends a session that a process before had.
func (s *Server) recover(ctx context.Context, k kept) {
	if k.Report.EndedAt.IsZero() {
		if err := s.cfg.Runtime.EndExec(ctx, k.Session.ContainerID, k.Session.ID); err != nil && ctx.Err() == nil {
			s.cfg.Logger.Warn("a command of a session may still run", "session", k.Session.ID, "err", err)
		}
		k.Report.EndedAt, k.Report.Reason = time.Now().UTC(), restarted
	}
	s.conclude(ctx, k)
}

// conclude tells the control plane that a session has ended, and hands up its transcript.
func (s *Server) conclude(ctx context.Context, k kept) {
	log := s.cfg.Logger.With("session", k.Session.ID)
	if err := s.disk.save(k); err != nil {
		log.Error("the end of a session is not kept", "err", err)
	}
	if err := s.cfg.Link.ReportExecSession(ctx, k.Report); err != nil {
		if ctx.Err() != nil {
			return // the next process goes on
		}
		log.Error("the end of a session is not reported", "err", err)
	}
	if err := s.handUp(ctx, k.Session); err != nil {
		if ctx.Err() != nil {
			return
		}
		log.Error("the transcript of a session is lost", "err", err)
	}
	if err := s.disk.remove(k.Session.ID); err != nil {
		log.Error("a session is not forgotten", "err", err)
	}
}

func (s *Server) handUp(ctx context.Context, d desired.ExecSession) error {
	if !d.Transcript {
		return nil
	}
	content, err := os.ReadFile(s.disk.transcript(d.ID))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was shown
	}
	if err != nil {
		return err
	}
	return s.cfg.Link.PutExecTranscript(ctx, desired.ExecTranscript{ID: d.ID, Content: content})
}
