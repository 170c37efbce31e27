package main

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPercentile(t *testing.T) {
	s := series{samples: []time.Duration{40, 10, 30, 20}}
	for p, want := range map[float64]time.Duration{0: 10, 25: 10, 26: 20, 50: 20, 75: 30, 99: 40, 100: 40} {
		if got := s.percentile(p); got != want {
			t.Errorf("p%v = %d, want %d", p, got, want)
		}
	}
}

// TestPercentileIsTheSmallestSample holds percentile against its definition.
func TestPercentileIsTheSmallestSample(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		samples := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 20), func(n int) time.Duration { return time.Duration(n) }), 1, 50).Draw(t, "samples")
		p := float64(rapid.IntRange(1, 100).Draw(t, "p"))
		s := series{samples: slices.Clone(samples)}
		got := s.percentile(p)
		if !slices.Equal(s.samples, samples) {
			t.Fatalf("the samples were changed: %v", s.samples)
		}
		notAbove := func(limit time.Duration) (n int) {
			for _, sample := range samples {
				if sample <= limit {
					n++
				}
			}
			return n
		}
		need := p / 100 * float64(len(samples))
		if !slices.Contains(samples, got) || float64(notAbove(got)) < need {
			t.Fatalf("p%v of %v = %d", p, samples, got)
		}
		for _, sample := range samples {
			if sample < got && float64(notAbove(sample)) >= need {
				t.Fatalf("p%v of %v = %d, but %d will do", p, samples, got, sample)
			}
		}
	})
}

func TestMedian(t *testing.T) {
	numbers := []float64{3, 1, 2}
	if got := median(numbers); got != 2 {
		t.Errorf("median = %v", got)
	}
	if !slices.Equal(numbers, []float64{3, 1, 2}) {
		t.Errorf("median has sorted its argument: %v", numbers)
	}
	if got := median([]float64{4, 1, 3, 2}); got != 3 {
		t.Errorf("median of an even count = %v", got)
	}
}

// TestMedianRatio compares round with round: a machine that is slow in one of them
// is slow for both.
func TestMedianRatio(t *testing.T) {
	ours := []round{{rate: 100}, {rate: 10}, {rate: 90}}
	theirs := []round{{rate: 50}, {rate: 5}, {rate: 100}}
	if got := medianRatio(ours, theirs, round.requests); got != 2 {
		t.Errorf("medianRatio = %v", got)
	}
}
