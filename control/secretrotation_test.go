package control

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"fargo"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// rotating is a function that does as little as it may. Its calls wait until they are let.
type rotating struct {
	db     *store.DB
	called chan string // "<step> <token>", as each call begins
	let    chan error  // what each call ends with, in order
}

// Invoke implements [Functions].
func (f *rotating) Invoke(ctx context.Context, _ fargo.Scope, _, _ string, event []byte) error {
	var e map[string]string
	if err := json.Unmarshal(event, &e); err != nil {
		return err
	}
	select {
	case f.called <- e["Step"] + " " + e["ClientRequestToken"]:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-f.let:
		if err != nil || e["Step"] != "finishSecret" {
			return err
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	return f.db.Update(ctx, func(tx *store.Tx) error {
		for s := range store.Secrets.All(tx) {
			changed := *s
			var err error
			if changed.Versions, err = plan.MoveSecretStage(s, record.StageCurrent, s.Staged(record.StageCurrent).ID, e["ClientRequestToken"]); err != nil {
				return err
			}
			store.Secrets.Put(tx, &changed)
		}
		return nil
	})
}

// A process that ends while a step is carried out leaves it to the next, which goes on
// with the same step and token; nothing that was done is done again.
func TestRotationGoesOn(t *testing.T) {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := &record.Secret{
		Scope: fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}, Name: "a", ARN: "arn",
		Versions: []record.SecretVersion{{ID: "v1", Stages: []string{record.StageCurrent}}},
		Rotation: &record.SecretRotation{Enabled: true, FunctionARN: "rotate"},
	}
	if err := plan.BeginRotation(s, "v2", "source", false, time.Now()); err != nil {
		t.Fatal(err)
	}
	err = db.Update(t.Context(), func(tx *store.Tx) error {
		store.Secrets.Put(tx, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	f := &rotating{db: db, called: make(chan string), let: make(chan error)}
	start := func() (stop func()) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- (&Rotations{DB: db, Functions: f, Logger: slog.New(slog.DiscardHandler)}).Run(ctx)
		}()
		return func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}
	want := func(step string) {
		t.Helper()
		if got := <-f.called; got != step+" v2" {
			t.Fatalf("called for %q, want %s", got, step)
		}
	}
	steps := []string{"createSecret", "setSecret", "testSecret", "finishSecret"}
	stop := start()
	want(steps[0])
	for i := range steps {
		stop() // the process ends during the call
		stop = start()
		want(steps[i])
		w := db.Watch(store.Secrets.Any())
		f.let <- nil
		if i+1 < len(steps) {
			want(steps[i+1])
		} else {
			until(t, w, func() bool { return !rotates(db, s) })
		}
		w.Close()
	}
	stop()
	after, _ := store.Secrets.Get(db.View(), s.Key())
	if after.Rotation.Pending != nil || after.Staged(record.StageCurrent).ID != "v2" || after.Staged(record.StagePrevious).ID != "v1" || after.Rotation.LastAt.IsZero() {
		t.Errorf("the rotation ended with %+v, %+v", after.Versions, after.Rotation)
	}
}

func rotates(db *store.DB, s *record.Secret) bool {
	now, _ := store.Secrets.Get(db.View(), s.Key())
	return now.Rotation.Pending != nil
}

func until(t *testing.T, w *store.Watcher, done func() bool) {
	t.Helper()
	for !done() {
		if _, err := w.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// A step that fails is told, and has the rotation wait.
func TestRotationFails(t *testing.T) {
	s := &record.Secret{Versions: []record.SecretVersion{{ID: "v1", Stages: []string{record.StageCurrent}}}, Rotation: &record.SecretRotation{}}
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	if err := plan.BeginRotation(s, "v2", "source", false, began); err != nil {
		t.Fatal(err)
	}
	failure := errors.New("no database")
	for i, rest := range []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second} {
		changed, done, err := plan.RotationStepped(s, failure, began)
		p := changed.Rotation.Pending
		if done || !errors.Is(err, failure) || p.Failures != i+1 || p.Step != "createSecret" || !p.RetryAt.Equal(began.Add(rest)) {
			t.Fatalf("failure %d: %+v, %v, %v", i+1, p, done, err)
		}
		s = &changed
	}
	for range 20 {
		changed, _, _ := plan.RotationStepped(s, failure, began)
		s = &changed
	}
	if rest := s.Rotation.Pending.RetryAt.Sub(began); rest != time.Hour {
		t.Errorf("rests for %s", rest)
	}
	s.Versions[1].Stages = nil
	if changed, done, err := plan.RotationStepped(s, nil, began); !done || err == nil || !strings.Contains(err.Error(), "no staging label") || changed.Rotation.Pending != nil {
		t.Errorf("an abandoned rotation goes on: %v, %v", done, err)
	}
}
