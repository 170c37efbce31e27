package main

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// series is one thing measured several times.
type series struct {
	name    string
	samples []time.Duration
}

func (s *series) add(d time.Duration) { s.samples = append(s.samples, d) }

// percentile is the smallest sample that p percent of the samples are not above
// (the nearest rank). There must be a sample.
func (s *series) percentile(p float64) time.Duration {
	sorted := slices.Sorted(slices.Values(s.samples))
	return sorted[max(0, int(math.Ceil(p/100*float64(len(sorted))))-1)]
}

// median is the one of several numbers that half of the others are not above; of
// an even count the upper of the two in the middle. There must be one.
func median[T cmp.Ordered](all []T) T {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// medianOf is the median of one number of several things.
func medianOf[S any, T cmp.Ordered](all []S, number func(S) T) T {
	var numbers []T
	for _, s := range all {
		numbers = append(numbers, number(s))
	}
	return median(numbers)
}

// medianRatio is the median of the ratios of one number of pairs: ours[i] to
// theirs[i].
func medianRatio[S any](ours, theirs []S, number func(S) float64) float64 {
	var ratios []float64
	for i := range ours {
		ratios = append(ratios, number(ours[i])/number(theirs[i]))
	}
	return median(ratios)
}
