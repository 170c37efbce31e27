package metrics

import (
	"cmp"
	"math"
)

// distribution is how often each value occurs in a set of samples: exactly while there
// are few different ones, then in buckets whose bounds grow exponentially. One that has
// buckets has no exact values. Which of the two a merge gives depends on all that is
// merged and not on the order.
type distribution struct {
	exact   []weighted // in ascending order, at most maxExact
	buckets []bucket   // in ascending order
}

// weighted is a value and how often it occurs.
type weighted struct{ value, count float64 }

// bucket is how many samples lie between two bounds; the index says which.
type bucket struct {
	index int
	count float64
}

// maxExact is how many different values are told apart.
const maxExact = 64

// accuracy is how far from a sample the value of its bucket may be, relative to it.
const accuracy = 0.01

// growth is the quotient of a bucket's bounds.
const growth = (1 + accuracy) / (1 - accuracy)

var logGrowth = math.Log(growth)

// firstIndex is an index below that of the smallest number above 0. The index of a
// negative value is that of its opposite with another sign, that of 0 is 0.
const firstIndex = 40_000

// indexOf is the index of the bucket of a value. Indexes are ordered as values are.
func indexOf(v float64) int {
	if v == 0 {
		return 0
	}
	index := int(math.Ceil(math.Log(math.Abs(v))/logGrowth)) + firstIndex
	if v < 0 {
		return -index
	}
	return index
}

// middle is the value that stands for all of a bucket.
func (b bucket) middle() float64 {
	switch {
	case b.index == 0:
		return 0
	case b.index < 0:
		return -bucket{index: -b.index}.middle()
	}
	return 2 * math.Exp(float64(b.index-firstIndex)*logGrowth) / (1 + growth)
}

// merge gives a new distribution of all that is in two.
func (d *distribution) merge(o *distribution) *distribution {
	if d.buckets == nil && o.buckets == nil {
		exact := mergeSorted(d.exact, o.exact, func(a, b weighted) int { return cmp.Compare(a.value, b.value) },
			func(a, b weighted) weighted { return weighted{a.value, a.count + b.count} })
		if len(exact) <= maxExact {
			return &distribution{exact: exact}
		}
		return &distribution{buckets: inBuckets(exact)}
	}
	return &distribution{buckets: mergeSorted(d.inBuckets(), o.inBuckets(), func(a, b bucket) int { return cmp.Compare(a.index, b.index) },
		func(a, b bucket) bucket { return bucket{a.index, a.count + b.count} })}
}

func (d *distribution) inBuckets() []bucket {
	if d.buckets != nil {
		return d.buckets
	}
	return inBuckets(d.exact)
}

// inBuckets puts values, which are in ascending order, into buckets.
func inBuckets(exact []weighted) []bucket {
	var all []bucket
	for _, w := range exact {
		if index := indexOf(w.value); len(all) > 0 && all[len(all)-1].index == index {
			all[len(all)-1].count += w.count
		} else {
			all = append(all, bucket{index, w.count})
		}
	}
	return all
}

// mergeSorted merges two ordered lists, and joins what is equal.
func mergeSorted[T any](a, b []T, compare func(a, b T) int, join func(a, b T) T) []T {
	all := make([]T, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch c := compare(a[0], b[0]); {
		case c < 0:
			all, a = append(all, a[0]), a[1:]
		case c > 0:
			all, b = append(all, b[0]), b[1:]
		default:
			all, a, b = append(all, join(a[0], b[0])), a[1:], b[1:]
		}
	}
	return append(append(all, a...), b...)
}

// samples are the values with how often they occur, none outside of the bounds.
func (d *distribution) samples(minimum, maximum float64) []weighted {
	if d.buckets == nil {
		return d.exact
	}
	all := make([]weighted, len(d.buckets))
	for i, b := range d.buckets {
		all[i] = weighted{min(max(b.middle(), minimum), maximum), b.count}
	}
	return all
}
