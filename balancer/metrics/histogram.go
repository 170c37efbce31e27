package metrics

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Times are counted in buckets, of which there are perOctave between a time and its double,
// so that the middle of a bucket is at most 1/(2·perOctave) away from any time in it: 1.6 %.
// The first bucket has all that is shorter too, and the last all that is longer: about a
// microsecond, and 73 minutes, which is more than a target can have (idle_timeout).
const (
	perOctave   = 1 << perOctaveLog
	octaves     = 32
	buckets     = octaves * perOctave
	shortestLog = 10 // of nanoseconds

	perOctaveLog = 5
)

// times counts times, by their buckets.
type times [buckets]atomic.Uint64

// add counts a time.
func (t *times) add(d time.Duration) { t[bucketOf(d)].Add(1) }

// bucketOf is the index of the bucket for a time.
func bucketOf(d time.Duration) int {
	if d < 1<<shortestLog {
		return 0
	}
	octave := bits.Len64(uint64(d)) - 1
	within := int(uint64(d)>>(octave-perOctaveLog)) - perOctave
	return min((octave-shortestLog)*perOctave+within, buckets-1)
}

// middleOf is the time in the middle of a bucket, in seconds.
func middleOf(bucket int) float64 {
	width := uint64(1) << (bucket/perOctave + shortestLog - perOctaveLog)
	begin := uint64(perOctave+bucket%perOctave) * width
	return (float64(begin) + float64(width)/2) / float64(time.Second)
}

// Histogram is how many times are in each bucket, without those in which there are none.
type Histogram map[int]uint64

// counted gives what is not zero.
func (t *times) counted() Histogram {
	h := Histogram{}
	for i := range t {
		if n := t[i].Load(); n != 0 {
			h[i] = n
		}
	}
	return h
}
