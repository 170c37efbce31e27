package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"fargo"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// An UndeliverableError says that trying again would not help.
type UndeliverableError struct {
	// Code is AWS's, as dead letters have it: NO_PERMISSIONS or NO_RESOURCE.
	Code string
	Err  error
}

func (e *UndeliverableError) Error() string { return e.Code + ": " + e.Err.Error() }

// Unwrap gives the cause.
func (e *UndeliverableError) Unwrap() error { return e.Err }

// Deliverer sends what rules and schedules have for their targets, to functions or to all
// others.
type Deliverer struct {
	DB     *store.DB
	Logger *slog.Logger
	// Send gives a delivery to its target. What follows from it is stored in the
	// transaction that ends the delivery. It may be called again for one that succeeded,
	// after a crash.
	Send func(ctx context.Context, d *record.EventDelivery) (follows []*record.EventDelivery, err error)
	// Pace divides the pauses between attempts.
	Pace fargo.Pace
	// ToFunctions has it send to functions and to nothing else. They take their time;
	// without it, it sends to all other targets.
	ToFunctions bool
}

// maxSending is how many deliveries are on their way at the same time.
const maxSending = 16

// sendTimeout bounds one attempt. Source: EventBridge user guide, "API destinations": 5
// seconds for the answer; connecting takes longer.
const sendTimeout = 15 * time.Second

// Run sends until ctx ends, and returns when all that is under way has ended.
func (s *Deliverer) Run(ctx context.Context) error {
	w := s.DB.Watch(store.EventDeliveries.Any())
	defer w.Close()
	changes := make(chan []store.Change)
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- forward(watching, w, changes) }()

	q := &sending{toFunctions: s.ToFunctions, due: map[string]time.Time{}, under: map[string]bool{}}
	for d := range store.EventDeliveries.All(s.DB.View()) {
		q.note(d)
	}
	sent := make(chan outcome)
	for {
		for _, key := range q.take(time.Now(), maxSending) {
			go func() {
				sent <- outcome{key, s.deliver(ctx, key)}
			}()
		}
		timer := time.NewTimer(q.untilNext(time.Now()))
		select {
		case cs := <-changes:
			view := s.DB.View()
			for _, c := range cs {
				q.see(view, c.Key)
			}
		case o := <-sent:
			delete(q.under, o.key)
			q.see(s.DB.View(), o.key)
			if _, left := q.due[o.key]; left && !o.stored {
				q.due[o.key] = time.Now().Add(retryAfter)
			}
		case <-timer.C:
		case err := <-ended:
			timer.Stop()
			for range len(q.under) {
				<-sent
			}
			return unlessCanceled(err)
		}
		timer.Stop()
	}
}

// An outcome says that an attempt has ended, and whether the journal knows how.
type outcome struct {
	key    string
	stored bool
}

// sending is what a Deliverer remembers. Losing it costs a look at all deliveries.
type sending struct {
	toFunctions bool                 // of all deliveries, those to functions or the others
	due         map[string]time.Time // when to send what is not under way
	under       map[string]bool      // what is under way
}

// see takes note of a delivery that has changed.
func (q *sending) see(r store.Reader, key string) {
	d, ok := store.EventDeliveries.Get(r, key)
	switch {
	case !ok:
		delete(q.due, key)
	case !q.under[key]:
		q.note(d)
	}
}

// note takes note of a delivery that is not under way.
func (q *sending) note(d *record.EventDelivery) {
	if plan.ToFunction(d) == q.toFunctions {
		q.due[d.Key()] = d.Next
	}
}

// take moves what is due into what is under way, as far as there is room.
func (q *sending) take(now time.Time, most int) (keys []string) {
	for key, at := range q.due {
		if len(q.under) >= most {
			break
		}
		if !at.After(now) {
			keys = append(keys, key)
			q.under[key] = true
			delete(q.due, key)
		}
	}
	return keys
}

func (q *sending) untilNext(now time.Time) time.Duration {
	if len(q.under) >= maxSending {
		return idle // until one has ended
	}
	wait := idle
	for _, at := range q.due {
		wait = min(wait, max(0, at.Sub(now)))
	}
	return wait
}

// deliver makes one attempt and stores its outcome, if it can.
func (s *Deliverer) deliver(ctx context.Context, key string) (stored bool) {
	d, ok := store.EventDeliveries.Get(s.DB.View(), key)
	if !ok {
		return true
	}
	attempt, cancel := ctx, context.CancelFunc(func() {})
	if !s.ToFunctions { // which have a limit of their own
		attempt, cancel = context.WithTimeout(ctx, sendTimeout)
	}
	follows, err := s.Send(attempt, d)
	cancel()
	if err != nil && ctx.Err() != nil {
		return false // it is this process that ends; the next one tries again
	}
	err = s.conclude(ctx, d, follows, err)
	if err != nil && ctx.Err() == nil {
		s.Logger.ErrorContext(ctx, "the outcome of an event's delivery was not stored", "rule", d.Owner, "target", *d.Target.Arn, "error", err)
	}
	return err == nil
}

// conclude stores the outcome of an attempt.
func (s *Deliverer) conclude(ctx context.Context, d *record.EventDelivery, follows []*record.EventDelivery, failed error) error {
	tried, again := *d, false
	if failed != nil {
		tried.Attempts++
		tried.LastError = failed.Error()
		tried.Next, again = plan.NextEventAttempt(&tried, time.Now(), rand.Float64(), s.Pace)
		code, permanent := "SDK_CLIENT_ERROR", (*UndeliverableError)(nil)
		if errors.As(failed, &permanent) {
			again, code = false, permanent.Code
		}
		if letter := plan.DeadLetter(&tried, uuid.NewString(), code, failed.Error(), permanent != nil, time.Now()); letter != nil && !again {
			follows = append(follows, letter)
		}
	}
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		if again {
			store.EventDeliveries.Put(tx, &tried)
			return nil
		}
		store.EventDeliveries.Delete(tx, d.Key())
		for _, f := range follows {
			store.EventDeliveries.Put(tx, f)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store the outcome: %w", err)
	}
	if failed != nil && !again {
		s.Logger.WarnContext(ctx, "an event was not delivered", "rule", d.Owner, "target", *d.Target.Arn, "attempts", tried.Attempts, "error", failed)
	}
	return nil
}
