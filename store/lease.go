package store

import "sync"

// Terms hands out the epochs of a journal that only one process has open: whoever
// leads takes over at once, and the leader before has lost. It implements Lead for
// it. The zero value has no leader.
type Terms struct {
	mu   sync.Mutex
	last Epoch
	lost chan struct{} // the leader's; nil when nobody leads
}

// Resume has all epochs to come be higher than last.
func (t *Terms) Resume(last Epoch) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = max(t.last, last)
}

// Lead begins a new epoch, and ends the one before.
func (t *Terms) Lead() Lease {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end()
	t.last++
	t.lost = make(chan struct{})
	return Lease{t.last, t.lost}
}

// Leads reports whether epoch is the present leader's.
func (t *Terms) Leads(epoch Epoch) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lost != nil && epoch == t.last
}

// End leaves the journal without a leader.
func (t *Terms) End() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end()
}

// end tells the leader, if there is one, that it is none. mu is held.
func (t *Terms) end() {
	if t.lost != nil {
		close(t.lost)
		t.lost = nil
	}
}
