package worker

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"fargo/secret"
)

// Times of a fleet's own housekeeping.
const (
	countEvery  = 5 * time.Second
	firstDelay  = 50 * time.Millisecond // before a worker is started that did not live long
	lastDelay   = 5 * time.Second
	steadyAfter = 10 * time.Second // a worker that lived this long did
	renewEvery  = 8 * time.Hour    // the secret for TLS sessions
	ticketsKept = 3
)

// Run tells workers what is found of targets, and replaces those that end, until
// ctx ends. It leaves them running.
func (f *Fleet) Run(ctx context.Context) error {
	defer f.tasks.Wait()
	defer f.cancel()
	count := time.NewTicker(countEvery)
	defer count.Stop()
	peak := time.NewTicker(peakEvery)
	defer peak.Stop()
	renew := time.NewTicker(renewEvery)
	defer renew.Stop()
	newer := f.publishHealth(ctx)
	var missing <-chan time.Time // when to start those that are
	var delay time.Duration
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-newer:
			newer = f.publishHealth(ctx)
		case <-count.C:
			f.mu.Lock()
			f.count(ctx)
			f.mu.Unlock()
		case now := <-peak.C:
			f.mu.Lock()
			f.mu.packets.turn(f.mu.config.balancers, now)
			f.mu.Unlock()
		case <-renew.C:
			f.mu.Lock()
			f.renewTickets()
			f.mu.Unlock()
			f.replace(ctx)
		case m := <-f.ended:
			if !f.remove(m) {
				continue
			}
			if time.Since(m.since) > steadyAfter {
				delay = 0
			}
			missing = time.After(delay)
			delay = min(max(2*delay, firstDelay), lastDelay)
		case <-missing:
			missing = nil
			if !f.replace(ctx) {
				missing = time.After(lastDelay)
			}
		}
	}
}

// remove forgets a member that has ended, and reports whether it was one.
func (f *Fleet) remove(m *member) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.Index(f.mu.members, m)
	if i < 0 {
		return false // it was retired
	}
	f.logger.Warn("a load balancer process ended and is started again", "pid", m.process.PID())
	f.mu.members = slices.Delete(f.mu.members, i, i+1)
	f.settle(m)
	return true
}

// replace starts what is missing, and reports whether it could.
func (f *Fleet) replace(ctx context.Context) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	missing := f.start()
	_, refused := f.configure(ctx, true)
	err := errors.Join(missing, refused)
	if err != nil {
		f.logger.Error("load balancer processes are missing", "error", err)
	}
	return err == nil
}

// renewTickets makes another secret for the tickets of TLS sessions, which workers use
// when they are configured next. Those before it stay good for a while, so that
// clients may come back.
func (f *Fleet) renewTickets() {
	b := make([]byte, sha256.Size)
	_, _ = rand.Read(b) // never fails: see crypto/rand
	ticket := secret.Exposed{Text: secret.New(hex.EncodeToString(b))}
	f.change(func(c *config) {
		c.tickets = slices.Insert(slices.Clone(c.tickets), 0, ticket)
		c.tickets = c.tickets[:min(len(c.tickets), ticketsKept)]
	})
}
