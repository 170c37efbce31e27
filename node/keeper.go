package node

import (
	"context"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"
)

// firstRetry is the wait after the first failed Set: a control group, say, is
// busy for a moment after its last process ended. It doubles up to retryAfter.
const firstRetry = 20 * time.Millisecond

// keeper keeps one of the machine's declarative doors at the union of what all
// tasks want. One Set is under way at a time; whoever changes what is wanted
// waits for the first Set that began after the change, together with all others
// who came meanwhile.
type keeper[T any] struct {
	name string
	set  func(context.Context, []T) error
	log  *slog.Logger
	kick chan struct{} // one pending look

	mu struct {
		sync.Mutex
		want  map[string]wish[T]
		asked uint64        // counts changes of want
		done  uint64        // the last of them that Set has seen
		moved chan struct{} // closed when done changes
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

// hold wants all of values, by key, in one change, and does not wait. Set is
// called even if there are none.
func (k *keeper[T]) hold(values map[string]T) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.mu.asked++
	for key, v := range values {
		k.mu.want[key] = wish[T]{v, k.mu.asked}
	}
	wake(k.kick)
}

// put wants v under key, if it is not wanted already, and waits until it is so.
func (k *keeper[T]) put(ctx context.Context, key string, v T) error {
	k.mu.Lock()
	w, known := k.mu.want[key]
	if !known || !reflect.DeepEqual(w.value, v) {
		k.mu.asked++
		w = wish[T]{v, k.mu.asked}
		k.mu.want[key] = w
		wake(k.kick)
	}
	k.mu.Unlock()
	return k.await(ctx, w.number)
}

// drop no longer wants key and waits until it is gone.
func (k *keeper[T]) drop(ctx context.Context, key string) error {
	k.mu.Lock()
	delete(k.mu.want, key)
	k.mu.asked++
	number := k.mu.asked
	wake(k.kick)
	k.mu.Unlock()
	return k.await(ctx, number)
}

func (k *keeper[T]) await(ctx context.Context, number uint64) error {
	for {
		k.mu.Lock()
		done, moved := k.mu.done, k.mu.moved
		k.mu.Unlock()
		if done >= number {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// run sets what is wanted until ctx ends. A Set that fails is repeated: those
// who wait for it decide how long.
func (k *keeper[T]) run(ctx context.Context) {
	wait := firstRetry
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.kick:
		}
		number, want := k.wanted()
		if err := k.set(ctx, want); err != nil {
			if ctx.Err() != nil {
				return
			}
			k.log.Error("setting up the machine failed", "what", k.name, "err", err)
			pause(ctx, wait)
			wait = min(2*wait, retryAfter)
			wake(k.kick)
			continue
		}
		wait = firstRetry
		k.mu.Lock()
		k.mu.done = number
		close(k.mu.moved)
		k.mu.moved = make(chan struct{})
		k.mu.Unlock()
	}
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
