package elbv2

import (
	"encoding/base64"
	"slices"
	"strings"
)

// maxPage is how many results a Describe call gives at most, and at once when
// not told otherwise.
const maxPage = 400

// markerSays begins what is in a marker, before the key that it follows.
const markerSays = "after "

// page takes one page out of items: those after the one whose key is in marker,
// at most size of them. next is the marker of the rest, nil at the end. Where
// that one may be gone by now, items must be in order of their keys.
func page[T any](items []T, key func(T) string, marker *string, size *int32) (out []T, next *string, err error) {
	limit := maxPage
	if size != nil {
		limit = int(*size)
	}
	if marker != nil && *marker != "" {
		said, err := base64.RawURLEncoding.DecodeString(*marker)
		last, ok := strings.CutPrefix(string(said), markerSays)
		if err != nil || !ok {
			return nil, nil, invalid("Invalid marker '%s'", *marker)
		}
		items = after(items, key, last)
	}
	if len(items) > limit {
		next = new(base64.RawURLEncoding.EncodeToString([]byte(markerSays + key(items[limit-1]))))
		items = items[:limit]
	}
	return orEmpty(items), next, nil
}

// after are the items that follow the one with a key, or would follow it if it
// were there.
func after[T any](items []T, key func(T) string, last string) []T {
	if i := slices.IndexFunc(items, func(item T) bool { return key(item) == last }); i >= 0 {
		return items[i+1:]
	}
	if i := slices.IndexFunc(items, func(item T) bool { return key(item) > last }); i >= 0 {
		return items[i:]
	}
	return nil
}
