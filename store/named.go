package store

import "strings"

// byName is the index "name" of a table of IAM, for [Named].
func byName[T any](key func(*T) string) Index[T] {
	return Index[T]{"name", func(v *T) []string { return []string{strings.ToLower(key(v))} }}
}

// Named finds the IAM entity with a key, whose case does not count: names of IAM are
// not distinguished by case. Stores of older versions may have several that differ
// in nothing else; then the one with exactly that key is found, or else the first.
func Named[T any](t *Table[T], r Reader, key string) (*T, bool) {
	if found, ok := t.Get(r, key); ok {
		return found, true
	}
	for found := range t.By(r, "name", strings.ToLower(key)) {
		return found, true
	}
	return nil, false
}
