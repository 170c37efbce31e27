package tags

import (
	"maps"
	"slices"
)

// Pair is a tag of a service whose API has them as a map.
type Pair struct{ Key, Value string }

// KeyValue implements [Tag].
func (p Pair) KeyValue() (key, value *string) { return &p.Key, &p.Value }

// Pairs are the tags in a map, sorted by key.
func Pairs(m map[string]string) []Pair {
	pairs := make([]Pair, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		pairs = append(pairs, Pair{key, m[key]})
	}
	return pairs
}

// Map is the opposite of Pairs.
func Map(pairs []Pair) map[string]string {
	m := make(map[string]string, len(pairs))
	for _, p := range pairs {
		m[p.Key] = p.Value
	}
	return m
}
