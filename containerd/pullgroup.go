package containerd

import (
	"context"
	"sync"

	"fargo/desired"
	"fargo/host"
)

// pullKey is what makes two pulls the same.
type pullKey struct {
	name string
	src  desired.PullSource
}

// pullGroup lets callers who want the same image wait for one pull. The zero value
// is ready to use.
type pullGroup struct {
	mu struct {
		sync.Mutex
		running map[pullKey]*sharedPull
	}
}

// sharedPull is one pull and those who wait for it. waiting is guarded by pullGroup.mu;
// image and err may be read when done is closed.
type sharedPull struct {
	waiting int
	cancel  context.CancelFunc
	done    chan struct{}
	image   host.Image
	err     error
}

// join waits for the pull under way, or begins one. The pull has the values of
// the first caller's context, and is cancelled when the last caller gives up, who
// waits until it has really ended.
func (f *pullGroup) join(ctx context.Context, key pullKey, pull func(context.Context) (host.Image, error)) (host.Image, error) {
	s := f.enter(ctx, key, pull)
	select {
	case <-s.done:
		return s.image, s.err
	case <-ctx.Done():
		if f.leave(key, s) {
			<-s.done
		}
		return host.Image{}, context.Cause(ctx)
	}
}

func (f *pullGroup) enter(ctx context.Context, key pullKey, pull func(context.Context) (host.Image, error)) *sharedPull {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s, ok := f.mu.running[key]; ok {
		s.waiting++
		return s
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &sharedPull{waiting: 1, cancel: cancel, done: make(chan struct{})}
	if f.mu.running == nil {
		f.mu.running = map[pullKey]*sharedPull{}
	}
	f.mu.running[key] = s
	go func() {
		defer cancel()
		s.image, s.err = pull(ctx)
		f.forget(key, s)
		close(s.done)
	}()
	return s
}

// leave takes one who waits away, and reports whether it was the last; a pull
// that nobody waits for ends, and the next caller begins anew.
func (f *pullGroup) leave(key pullKey, s *sharedPull) (last bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s.waiting--
	if s.waiting > 0 {
		return false
	}
	s.cancel()
	if f.mu.running[key] == s {
		delete(f.mu.running, key)
	}
	return true
}

func (f *pullGroup) forget(key pullKey, s *sharedPull) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mu.running[key] == s {
		delete(f.mu.running, key)
	}
}
