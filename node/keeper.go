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

// keeper keeps one of the machine's declarative doors at the union of what all
// tasks want. One Set is under way at a time; whoever changes what is wanted
// waits for the first Set that began after the change, together with all others
// who came meanwhile, and that did not fail for the part that was changed.
type keeper[T any] struct {
	name string
	set  func(context.Context, []T) error
	log  *slog.Logger
	kick chan struct{} // one pending look

	mu struct {
		sync.Mutex
		want   map[string]wish[T]
		asked  uint64           // counts changes of want
		tried  uint64           // the last of them that Set has seen
		done   uint64           // the last that Set has seen and has not failed as a whole
		failed map[string]error // the parts that did in it
		moved  chan struct{}    // closed when tried or done changes
	}
}

// wish is something wanted, and the number of the change that it came with.
type wish[T any] struct {
	value  T
	number uint64
}

func newKeeper[T any](name string, log *slog.Logger, set func(context.Context, []T) error) *keeper[T] {
	k := &keeper[T]{name: name, set: set, log: log, kick: make(chan struct{}, 1)}
	k.mu.want = map[string]wish[T]{}
	k.mu.moved = make(chan struct{})
	return k
}

// change wants all of values, by key, and no longer what is gone, and does not
// wait. It gives the number of the change; Set is called even if it is empty.
func (k *keeper[T]) change(values map[string]T, gone ...string) uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.mu.asked++
	for key, v := range values {
		k.mu.want[key] = wish[T]{v, k.mu.asked}
	}
	for _, key := range gone {
		delete(k.mu.want, key)
	}
	wake(k.kick)
	return k.mu.asked
}

// put wants v under key, if it is not wanted already, and waits until it is so.
func (k *keeper[T]) put(ctx context.Context, key string, v T) error {
	k.mu.Lock()
	w, known := k.mu.want[key]
	k.mu.Unlock()
	if !known || !reflect.DeepEqual(w.value, v) {
		w.number = k.change(map[string]T{key: v})
	}
	return k.await(ctx, func() bool { return k.mu.done >= w.number && k.mu.failed[key] == nil })
}

// drop no longer wants key and waits until it is gone.
func (k *keeper[T]) drop(ctx context.Context, key string) error {
	number := k.change(nil, key)
	return k.await(ctx, func() bool { return k.mu.done >= number && k.mu.failed[key] == nil })
}

// attempted waits until a Set has been tried that began after a change, however
// it ended.
func (k *keeper[T]) attempted(ctx context.Context, number uint64) error {
	return k.await(ctx, func() bool { return k.mu.tried >= number })
}

// await returns when cond, which is called with mu held, is true.
func (k *keeper[T]) await(ctx context.Context, cond func() bool) error {
	for {
		k.mu.Lock()
		ok, moved := cond(), k.mu.moved
		k.mu.Unlock()
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
func (k *keeper[T]) run(ctx context.Context) {
	wait := firstRetry
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.kick:
		case <-again:
		}
		number, want := k.wanted()
		err := k.set(ctx, want)
		if ctx.Err() != nil {
			return
		}
		k.settle(number, err)
		if err == nil {
			wait, again = firstRetry, nil
			continue
		}
		if wait == retryAfter {
			k.log.Error("setting up the machine fails", "what", k.name, "err", err)
		}
		again = time.After(wait)
		wait = min(2*wait, retryAfter)
	}
}

// settle tells those who wait how the Set of a change ended.
func (k *keeper[T]) settle(number uint64, err error) {
	var failed host.Failures
	k.mu.Lock()
	defer k.mu.Unlock()
	k.mu.tried = number
	if err == nil || errors.As(err, &failed) {
		k.mu.done, k.mu.failed = number, failed
	}
	close(k.mu.moved)
	k.mu.moved = make(chan struct{})
}

// wanted is all that is wanted, in the order of the keys.
func (k *keeper[T]) wanted() (uint64, []T) {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := make([]T, 0, len(k.mu.want))
	for _, key := range slices.Sorted(maps.Keys(k.mu.want)) {
		all = append(all, k.mu.want[key].value)
	}
	return k.mu.asked, all
}

// values are what is wanted, by key.
func (k *keeper[T]) values() map[string]T {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := make(map[string]T, len(k.mu.want))
	for key, w := range k.mu.want {
		all[key] = w.value
	}
	return all
}

// wake leaves a note in a channel with room for one.
func wake(kick chan<- struct{}) {
	select {
	case kick <- struct{}{}:
	default:
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
