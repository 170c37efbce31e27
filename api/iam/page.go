package iam

import (
	"encoding/base64"
	"iter"

	"fargo/aws/protocol"
)

// pageSize is how many results a call gives when it is not told.
// Source: IAM API, MaxItems of the List operations.
const pageSize = 100

// page takes one page out of items, which come in the order of their keys:
// those after the key in marker, max at most. next is the marker for the rest,
// nil at the end.
func page[T any](items iter.Seq[T], key func(T) string, marker *string, max *int32) (out []T, more *bool, next *string, err error) {
	limit := pageSize
	if max != nil {
		limit = int(*max)
	}
	after, err := base64.URLEncoding.DecodeString(text(marker))
	if err != nil {
		return nil, nil, nil, protocol.Errorf("ValidationError", "Invalid Marker.")
	}
	out = []T{} // lists are answered, even without items
	for item := range items {
		if marker != nil && key(item) <= string(after) {
			continue
		}
		if len(out) == limit {
			return out, new(true), new(base64.URLEncoding.EncodeToString([]byte(key(out[limit-1])))), nil
		}
		out = append(out, item)
	}
	return out, new(false), nil, nil
}

// itself is the key of items that are strings.
func itself(s string) string { return s }

// each turns the items of a sequence that keep keeps into something else.
func each[T, U any](items iter.Seq[T], keep func(T) bool, make func(T) U) iter.Seq[U] {
	return func(yield func(U) bool) {
		for item := range items {
			if keep(item) && !yield(make(item)) {
				return
			}
		}
	}
}
