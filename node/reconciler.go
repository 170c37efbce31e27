package node

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"fargo/host"
)

// firstRetry is the wait after the first failed Set: a control group, say, is
// busy for a moment after its last process ended. It doubles up to retryAfter.
const firstRetry = 5 * time.Millisecond

// reconciler keeps one declarative interface of the machine, its network or its
// control groups, at the union of what all tasks want. One Set is under way at a
// time. Whoever changes what is wanted waits for the first Set that began after the
// change and did not fail for the changed part; changes that come meanwhile share
// that Set.
type reconciler[T any] struct {
	name   string
	set    func(context.Context, []T) error
	log    *slog.Logger
	wakeUp chan struct{} // want has changed

	mu struct {
		sync.Mutex
		want   map[string]entry[T]
		asked  uint64           // counts changes of want
		tried  uint64           // the last of them that Set has seen
		done   uint64           // the last that Set has seen and has not failed as a whole
		failed map[string]error // the parts that did in it
		moved  chan struct{}    // closed when tried or done changes
	}
}

// entry is a value that is wanted, and the number of the change that it came with.
type entry[T any] struct {
	value  T
	number uint64
}

func newReconciler[T any](name string, log *slog.Logger, set func(context.Context, []T) error) *reconciler[T] {
	r := &reconciler[T]{name: name, set: set, log: log, wakeUp: make(chan struct{}, 1)}
	r.mu.want = map[string]entry[T]{}
	r.mu.moved = make(chan struct{})
	return r
}

// change wants all of values, by key, and no longer what is gone, and does not
// wait. It gives the number of the change; Set is called even if it is empty.
func (r *reconciler[T]) change(values map[string]T, gone ...string) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.asked++
	for key, v := range values {
		r.mu.want[key] = entry[T]{v, r.mu.asked}
	}
	for _, key := range gone {
		delete(r.mu.want, key)
	}
	wake(r.wakeUp)
	return r.mu.asked
}

// put wants v under key, if it is not wanted already, and waits until it is so.
func (r *reconciler[T]) put(ctx context.Context, key string, v T) error {
	r.mu.Lock()
	w, known := r.mu.want[key]
	r.mu.Unlock()
	if !known || !reflect.DeepEqual(w.value, v) {
		w.number = r.change(map[string]T{key: v})
	}
	return r.await(ctx, func() bool { return r.mu.done >= w.number && r.mu.failed[key] == nil })
}

// drop no longer wants key and waits until it is gone.
func (r *reconciler[T]) drop(ctx context.Context, key string) error {
	number := r.change(nil, key)
	return r.await(ctx, func() bool { return r.mu.done >= number && r.mu.failed[key] == nil })
}

// attempted waits until a Set has been tried that began after a change, however
// it ended.
func (r *reconciler[T]) attempted(ctx context.Context, number uint64) error {
	return r.await(ctx, func() bool { return r.mu.tried >= number })
}

// await returns when cond, which is called with mu held, is true.
func (r *reconciler[T]) await(ctx context.Context, cond func() bool) error {
	for {
		r.mu.Lock()
		ok, moved := cond(), r.mu.moved
		r.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// run sets what is wanted until ctx ends. What fails is tried again, by itself
// or with the next change: those who wait for it decide how long.
func (r *reconciler[T]) run(ctx context.Context) {
	wait := firstRetry
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wakeUp:
		case <-again:
		}
		number, want := r.wanted()
		err := r.set(ctx, want)
		if ctx.Err() != nil {
			return
		}
		r.settle(number, err)
		if err == nil {
			wait, again = firstRetry, nil
			continue
		}
		if wait == retryAfter {
			r.log.Error("setting up the machine fails", "what", r.name, "err", err)
		}
		again = time.After(wait)
		wait = min(2*wait, retryAfter)
	}
}

// settle tells those who wait how the Set of a change ended.
func (r *reconciler[T]) settle(number uint64, err error) {
	var failed host.Failures
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.tried = number
	if err == nil || errors.As(err, &failed) {
		r.mu.done, r.mu.failed = number, failed
	}
	close(r.mu.moved)
	r.mu.moved = make(chan struct{})
}

// wanted is all that is wanted, in the order of the keys.
func (r *reconciler[T]) wanted() (uint64, []T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]T, 0, len(r.mu.want))
	for _, key := range slices.Sorted(maps.Keys(r.mu.want)) {
		all = append(all, r.mu.want[key].value)
	}
	return r.mu.asked, all
}

// values are what is wanted, by key.
func (r *reconciler[T]) values() map[string]T {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make(map[string]T, len(r.mu.want))
	for key, w := range r.mu.want {
		all[key] = w.value
	}
	return all
}

// wake signals a channel that has room for one signal.
func wake(wakeUp chan<- struct{}) {
	select {
	case wakeUp <- struct{}{}:
	default:
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
