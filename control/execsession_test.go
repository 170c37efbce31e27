package control

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/errdefs"

	"fargo"
	"fargo/desired"
	"fargo/record"
	"fargo/secret"
	"fargo/store"
)

// session makes a session in the world's task, which is on node a.
func (w *world) session(task *record.Task, id string) *record.ExecSession {
	s := &record.ExecSession{
		Scope: task.Scope, ID: id, Cluster: task.Cluster, TaskID: task.ID, Container: "app", ContainerID: task.ID + "-1", Node: "a",
		Owner: "arn:aws:iam::123456789012:user/ada", Command: "id -u", Arguments: []string{"id", "-u"}, CreatedAt: time.Now(),
		TokenHash: desired.ExecTokenHash("t"), TokenExpires: time.Now().Add(time.Minute),
	}
	w.update(func(tx *store.Tx) { store.ExecSessions.Put(tx, s) })
	return s
}

func (w *world) sessionNow(s *record.ExecSession) *record.ExecSession {
	synctest.Wait()
	now, _ := store.ExecSessions.Get(w.db.View(), s.Key())
	return now
}

// Of a session it is known, and logged, who ran what where, when it began and how it
// ended, for a day.
func TestExecSessionIsAudited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, task := withRole(t)
		defer w.stop()
		var logged bytes.Buffer
		w.plane.Logger = slog.New(slog.NewTextHandler(&logged, nil))
		s := w.session(task, "ecs-execute-command-1")
		began := time.Now()
		report := desired.ExecSessionReport{ID: s.ID, StartedAt: began}
		for range 2 { // it may come again
			if err := w.plane.ReportExecSession(t.Context(), "a", report); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Hour)
		if now := w.sessionNow(s); now.Ended() || !now.StartedAt.Equal(began) {
			t.Fatalf("it has begun: %+v", now)
		}
		report.EndedAt, report.ExitCode = time.Now(), new(3)
		if err := w.plane.ReportExecSession(t.Context(), "b", report); err != nil {
			t.Fatal(err)
		}
		if w.sessionNow(s).Ended() {
			t.Error("another node has ended it")
		}
		for range 2 {
			if err := w.plane.ReportExecSession(t.Context(), "a", report); err != nil {
				t.Fatal(err)
			}
		}
		if now := w.sessionNow(s); !now.Ended() || *now.ExitCode != 3 || now.Owner != s.Owner {
			t.Errorf("it has ended: %+v", now)
		}
		if text := logged.String(); strings.Count(text, "ECS Exec began") != 1 || strings.Count(text, "ECS Exec ended") != 1 ||
			!strings.Contains(text, `caller=arn:aws:iam::123456789012:user/ada`) || !strings.Contains(text, `command="id -u" exitCode=3`) {
			t.Errorf("the log says:\n%s", text)
		}
		time.Sleep(execSessionKept - time.Second)
		if w.sessionNow(s) == nil {
			t.Error("forgotten before a day was over")
		}
		time.Sleep(time.Second)
		if now := w.sessionNow(s); now != nil {
			t.Errorf("after a day there is %+v", now)
		}
	})
}

// A session ends with its task, and when nobody connects; one that has begun goes on,
// however old its token is.
func TestExecSessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, task := withRole(t)
		defer w.stop()
		open, unused, terminated := w.session(task, "open"), w.session(task, "unused"), w.session(task, "terminated")
		if err := w.plane.ReportExecSession(t.Context(), "a", desired.ExecSessionReport{ID: open.ID, StartedAt: time.Now()}); err != nil {
			t.Fatal(err)
		}
		w.update(func(tx *store.Tx) {
			s := *terminated
			s.TerminatedAt = time.Now()
			store.ExecSessions.Put(tx, &s)
		})
		if now := w.sessionNow(terminated); !now.Ended() || now.EndReason != execTerminated {
			t.Errorf("terminated: %+v", now)
		}
		time.Sleep(time.Until(unused.TokenExpires) + execConnecting)
		if now := w.sessionNow(unused); !now.Ended() || now.EndReason != execNeverConnected {
			t.Errorf("nobody has connected: %+v", now)
		}
		if w.sessionNow(open).Ended() {
			t.Error("a session that has begun has ended")
		}
		w.update(func(tx *store.Tx) {
			stopped := *task
			stopped.Status, stopped.Desired = fargo.TaskStopped, fargo.TaskStopped
			store.Tasks.Put(tx, &stopped)
		})
		if now := w.sessionNow(open); !now.Ended() || now.EndReason != execTaskStopped {
			t.Errorf("of a task that has stopped: %+v", now)
		}
	})
}

// A node is told of its own sessions, of each change, and that they are over.
func TestFollowExecSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, task := withRole(t)
		defer w.stop()
		w.plane.Puller = noImages{}
		ctx, cancel := context.WithCancel(t.Context())
		var known desired.State
		done := make(chan error, 1)
		go func() {
			done <- w.plane.Follow(ctx, "a", func(d desired.Delta) error { known = desired.Apply(known, &d); return nil })
		}()
		s := w.session(task, "s")
		other := *s
		other.ID, other.Node = "other", "b"
		w.update(func(tx *store.Tx) { store.ExecSessions.Put(tx, &other) })
		synctest.Wait()
		if len(known.ExecSessions) != 1 || known.ExecSessions[0].ID != "s" || known.ExecSessions[0].Begun ||
			!known.ExecSessions[0].Opens("t", time.Now()) || known.ExecSessions[0].Opens("u", time.Now()) || known.ExecSessions[0].Opens("t", s.TokenExpires) {
			t.Fatalf("the node knows %+v", known.ExecSessions)
		}
		w.update(func(tx *store.Tx) {
			resumed := *s
			resumed.StartedAt, resumed.TokenHash = time.Now(), desired.ExecTokenHash("u")
			store.ExecSessions.Put(tx, &resumed)
		})
		synctest.Wait()
		if len(known.ExecSessions) != 1 || !known.ExecSessions[0].Begun || !known.ExecSessions[0].Opens("u", time.Now()) {
			t.Fatalf("resumed, the node knows %+v", known.ExecSessions)
		}
		w.update(func(tx *store.Tx) {
			now, _ := store.ExecSessions.Get(tx, s.Key())
			store.EndExecSession(tx, now, time.Now(), nil, "")
		})
		synctest.Wait()
		if len(known.ExecSessions) != 0 {
			t.Errorf("ended, the node knows %+v", known.ExecSessions)
		}
		cancel()
		<-done
	})
}

type transcripts map[string]string

func (s transcripts) PutExecTranscript(_ context.Context, e *record.ExecSession, content []byte) error {
	s[e.ID] = string(content)
	return nil
}

func (s transcripts) DecryptExecKey(_ context.Context, _ *record.ExecSession, k desired.ExecKey) (secret.Text, error) {
	return secret.New("of " + k.ID), nil
}

func TestExecTranscriptIsOfTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, task := withRole(t)
		defer w.stop()
		put := transcripts{}
		w.plane.ExecAgent = put
		w.session(task, "s")
		if err := w.plane.PutExecTranscript(t.Context(), "b", desired.ExecTranscript{ID: "s"}); !errdefs.IsNotFound(err) {
			t.Errorf("of another node's session: %v", err)
		}
		if err := w.plane.PutExecTranscript(t.Context(), "a", desired.ExecTranscript{ID: "s", Content: []byte("$ ")}); err != nil || put["s"] != "$ " {
			t.Errorf("put %v, %v", put, err)
		}
		if _, err := w.plane.DecryptExecKey(t.Context(), "b", desired.ExecKey{ID: "s"}); !errdefs.IsNotFound(err) {
			t.Errorf("the key of another node's session: %v", err)
		}
		if key, err := w.plane.DecryptExecKey(t.Context(), "a", desired.ExecKey{ID: "s"}); err != nil || key.Reveal() != "of s" {
			t.Errorf("the key: %v", err)
		}
	})
}
