package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"fargo"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// Functions calls the functions of users.
type Functions interface {
	// Invoke calls a function, by its ARN, with an event in JSON, and waits until it has
	// ended. id stands for the call: with the same one, the next process goes on where this
	// one has ended. The error says why it failed.
	Invoke(ctx context.Context, scope fargo.Scope, id, functionARN string, event []byte) error
}

// maxRotations is how many functions are called at a time, each for another secret.
const maxRotations = 16

// Rotations carries out the rotations of secrets that have begun, whoever began them: it
// calls the function for one step after the other, and for a failed rotation again. What
// was being done when a process ended is done again, with the same token.
type Rotations struct {
	DB        *store.DB
	Functions Functions
	Logger    *slog.Logger
}

// Run rotates until ctx ends or the store is closed.
func (r *Rotations) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(maxRotations + 1)
	woken, ended := make(chan []store.Change), make(chan string, maxRotations)
	w := r.DB.Watch(store.Secrets.Under(store.SecretByRotation, store.Rotating))
	defer w.Close()
	g.Go(func() error { return forward(ctx, w, woken) })

	busy := map[string]bool{}
	for ctx.Err() == nil {
		timer := time.NewTimer(r.start(ctx, g, busy, ended))
		select {
		case <-woken:
		case key := <-ended:
			delete(busy, key)
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return unlessCanceled(g.Wait())
}

// start calls the functions that are to be called now, as far as there is room, and says
// after how long to look again.
func (r *Rotations) start(ctx context.Context, g *errgroup.Group, busy map[string]bool, ended chan<- string) time.Duration {
	wait := idle
	for s := range store.Secrets.By(r.DB.View(), store.SecretByRotation, store.Rotating) {
		rest := time.Until(s.Rotation.Pending.RetryAt)
		switch {
		case busy[s.Key()] || len(busy) == maxRotations:
		case rest > 0:
			wait = min(wait, rest)
		default:
			busy[s.Key()] = true
			g.Go(func() error {
				err := r.step(ctx, s)
				ended <- s.Key()
				return err
			})
		}
	}
	return wait
}

// step carries out the next step of a rotation and commits what became of it.
func (r *Rotations) step(ctx context.Context, s *record.Secret) error {
	p := s.Rotation.Pending
	var failure error
	if !plan.RotationAbandoned(s) {
		event, err := json.Marshal(map[string]string{
			"Step": p.Step, "SecretId": s.ARN, "ClientRequestToken": p.Token, "RotationToken": p.Source,
		})
		if err != nil {
			return err
		}
		id := fmt.Sprintf("%s %s %s %d", s.ARN, p.Token, p.Step, p.Failures)
		failure = r.Functions.Invoke(ctx, s.Scope, id, s.Rotation.FunctionARN, event)
	}
	if ctx.Err() != nil {
		return nil //nolint:nilerr // it is done again
	}
	var failed error
	err := r.DB.Update(ctx, func(tx *store.Tx) error {
		now, ok := store.Secrets.Get(tx, s.Key())
		if !ok || now.Rotation == nil || now.Rotation.Pending == nil || now.Rotation.Pending.Token != p.Token {
			return nil // deleted or canceled meanwhile
		}
		var changed record.Secret
		var done bool
		changed, done, failed = plan.RotationStepped(now, failure, time.Now().UTC().Truncate(time.Millisecond))
		if done && changed.Version(p.Token) == nil {
			store.SecretValues.Delete(tx, record.SecretValueKey(s.ARN, p.Token))
		}
		store.Secrets.Put(tx, &changed)
		return nil
	})
	if failed != nil {
		r.Logger.WarnContext(ctx, "the rotation of a secret failed", "secret", s.ARN, "step", p.Step, "error", failed)
	}
	switch {
	case errors.Is(err, store.ErrClosed), ctx.Err() != nil:
		return nil
	case err != nil:
		return r.pause(ctx, fmt.Errorf("rotate %s: %w", s.ARN, err))
	}
	return nil
}

// pause waits for a while where what became of a step cannot be written.
func (r *Rotations) pause(ctx context.Context, err error) error {
	r.Logger.ErrorContext(ctx, "a rotation is tried again", "error", err)
	timer := time.NewTimer(retryAfter)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil
}
