package session

import "time"

// The retransmission timeout, as AWS's own ends have it: they look every minTimeout.
const (
	initialTimeout = 200 * time.Millisecond
	minTimeout     = 100 * time.Millisecond
	maxTimeout     = time.Second

	initialRoundTrip = 100 * time.Millisecond
	clockGranularity = 10 * time.Millisecond
)

// roundTrip estimates how long an acknowledgement takes, as RFC 6298 does: gains of 1/8
// for the mean and 1/4 for the variation.
type roundTrip struct {
	known           bool
	mean, variation time.Duration
}

// measured takes note of one that took d.
func (r *roundTrip) measured(d time.Duration) {
	if !r.known {
		*r = roundTrip{known: true, mean: initialRoundTrip}
	}
	r.variation += (max(d-r.mean, r.mean-d) - r.variation) / 4
	r.mean += (d - r.mean) / 8
}

// timeout is how long to wait for an acknowledgement before sending again, which doubles
// with each time it was in vain.
func (r *roundTrip) timeout(attempts int) time.Duration {
	t := initialTimeout
	if r.known {
		t = max(r.mean+max(clockGranularity, 4*r.variation), minTimeout)
	}
	for range attempts {
		if t >= maxTimeout {
			break
		}
		t *= 2
	}
	return min(t, maxTimeout)
}
