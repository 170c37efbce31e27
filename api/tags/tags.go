// Package tags does what every service does with the tags of its resources: check
// them, lay them over those that are there, take some away, and store them again. It
// knows what AWS's services have in common; what they differ in, their bounds and the
// texts of their errors, each gives as its [Rules]. It refuses to know which
// resources there are.
package tags

import (
	"slices"
	"strings"
	"unicode/utf8"

	"fargo/aws"
)

// Tag is the generated tag of any service, or a [Pair].
type Tag interface {
	// KeyValue gives the key and the value, which may be absent.
	KeyValue() (key, value *string)
}

// reserved begins the keys, in any case, of tags that AWS itself gives. Users
// neither give nor take them away, and they do not count.
// Source: Tagging AWS Resources user guide, "Tag naming limits and requirements".
const reserved = "aws:"

// Reserved reports whether a key is one that only AWS gives.
func Reserved(key string) bool {
	return len(key) >= len(reserved) && strings.EqualFold(key[:len(reserved)], reserved)
}

// Rules are what a service asks of tags.
type Rules[T Tag] struct {
	// Most is how many tags a resource may have.
	Most int
	// MostKey and MostValue are how many characters a key and a value may have. 0
	// means that the bounds of the API's model suffice, which are checked before the
	// operation runs.
	MostKey, MostValue int
	// FoldCase says that keys that differ in nothing but case are the same.
	FoldCase bool

	// The refusals of the service. Those of bounds that are 0 are not called.

	TooMany   func(most int) error
	BadKey    func(most int) error // empty or too long
	BadValue  func(most int) error // too long
	Reserved  func(key string) error
	Duplicate func(key string) error
}

// Check refuses tags that cannot be given to a resource that has none.
func (r *Rules[T]) Check(given []T) error {
	if len(given) > r.Most {
		return r.TooMany(r.Most)
	}
	for i, t := range given {
		if err := r.check(t); err != nil {
			return err
		}
		if slices.ContainsFunc(given[:i], func(o T) bool { return r.same(keyOf(o), keyOf(t)) }) {
			return r.Duplicate(keyOf(t))
		}
	}
	return nil
}

func (r *Rules[T]) check(t T) error {
	k, v := t.KeyValue()
	key, value := aws.Value(k), aws.Value(v)
	switch {
	case r.MostKey > 0 && (key == "" || utf8.RuneCountInString(key) > r.MostKey):
		return r.BadKey(r.MostKey)
	case r.MostValue > 0 && utf8.RuneCountInString(value) > r.MostValue:
		return r.BadValue(r.MostValue)
	case Reserved(key):
		return r.Reserved(key)
	}
	return nil
}

// Merge checks tags and lays them over those that a resource has: a key that is
// there keeps its place. has is not changed.
func (r *Rules[T]) Merge(has, given []T) ([]T, error) {
	if err := r.Check(given); err != nil {
		return nil, err
	}
	merged := r.Overlay(has, given)
	users := 0
	for _, t := range merged {
		if !Reserved(keyOf(t)) {
			users++
		}
	}
	if users > r.Most {
		return nil, r.TooMany(r.Most)
	}
	return merged, nil
}

// Overlay is Merge without any check, for tags that the service gives itself.
func (r *Rules[T]) Overlay(has, given []T) []T {
	merged := slices.Clone(has)
	for _, t := range given {
		if i := slices.IndexFunc(merged, func(o T) bool { return r.same(keyOf(o), keyOf(t)) }); i >= 0 {
			merged[i] = t
		} else {
			merged = append(merged, t)
		}
	}
	return merged
}

// Remove takes the tags with keys away. A key that is not there does no harm. has is
// not changed, and what is left is never nil.
func (r *Rules[T]) Remove(has []T, keys []string) ([]T, error) {
	if i := slices.IndexFunc(keys, Reserved); i >= 0 {
		return nil, r.Reserved(keys[i])
	}
	return without(has, func(t T) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return r.same(k, keyOf(t)) })
	}), nil
}

// RemoveMatching takes tags away that are as those named: with a value, only those
// that have it. has is not changed, and what is left is never nil.
func (r *Rules[T]) RemoveMatching(has, named []T) ([]T, error) {
	if i := slices.IndexFunc(named, func(t T) bool { return Reserved(keyOf(t)) }); i >= 0 {
		return nil, r.Reserved(keyOf(named[i]))
	}
	return without(has, func(t T) bool {
		_, value := t.KeyValue()
		return slices.ContainsFunc(named, func(n T) bool {
			_, wanted := n.KeyValue()
			return r.same(keyOf(n), keyOf(t)) && (wanted == nil || *wanted == aws.Value(value))
		})
	}), nil
}

// RemoveAll takes away all tags that users gave. has is not changed, and what is
// left is never nil.
func RemoveAll[T Tag](has []T) []T {
	return without(has, func(t T) bool { return !Reserved(keyOf(t)) })
}

func (r *Rules[T]) same(a, b string) bool { return a == b || r.FoldCase && strings.EqualFold(a, b) }

func keyOf[T Tag](t T) string {
	key, _ := t.KeyValue()
	return aws.Value(key)
}

// without copies tags less those that gone names.
func without[T Tag](tags []T, gone func(T) bool) []T {
	left := make([]T, 0, len(tags))
	for _, t := range tags {
		if !gone(t) {
			left = append(left, t)
		}
	}
	return left
}
