package elbv2

import (
	"encoding/base64"
)

// maxPage is how many results a Describe call gives at most, and at once when
// not told otherwise.
const maxPage = 400

// page takes one page out of items: those after the one whose key is in marker,
// at most size of them. next is the marker of the rest, nil at the end.
func page[T any](items []T, key func(T) string, marker *string, size *int32) (out []T, next *string, err error) {
	limit := maxPage
	if size != nil {
		limit = int(*size)
	}
	if marker != nil && *marker != "" {
		after, err := base64.RawURLEncoding.DecodeString(*marker)
		if err != nil {
			return nil, nil, invalid("Invalid marker '%s'", *marker)
		}
		found := false
		for i, item := range items {
			if key(item) == string(after) {
				items, found = items[i+1:], true
				break
			}
		}
		if !found {
			return nil, nil, invalid("Invalid marker '%s'", *marker)
		}
	}
	if len(items) > limit {
		next = new(base64.RawURLEncoding.EncodeToString([]byte(key(items[limit-1]))))
		items = items[:limit]
	}
	return orEmpty(items), next, nil
}
