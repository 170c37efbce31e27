package fargo

import "time"

// Pace divides every waiting time that configuration prescribes: 1 is AWS's
// own.
type Pace float64

// Of is the time to wait instead of d.
func (p Pace) Of(d time.Duration) time.Duration {
	if p <= 0 {
		return d
	}
	return time.Duration(float64(d) / float64(p))
}

// WholeSeconds is the same for periods of metrics, which are kept by the second.
func (p Pace) WholeSeconds(d time.Duration) time.Duration {
	return max(time.Second, p.Of(d).Round(time.Second))
}
