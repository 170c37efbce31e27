package iam

import (
	"iter"

	"fargo/api/page"
	"fargo/aws/protocol"
)

// pages are those of all lists. Source: IAM API, MaxItems of the List operations;
// its bounds are in the model.
var pages = page.Rules{
	Default:  100,
	BadToken: func(string) error { return protocol.Errorf("ValidationError", "Invalid Marker.") },
}

// pageOf takes one page out of items, with what IAM's answers say of it: whether
// there is more, and the marker of that.
func pageOf[T any](asked page.Request, items iter.Seq[T], key func(T) string) (out []T, more *bool, next *string, err error) {
	out, next, err = page.Of(asked, items, key)
	return out, new(next != nil), next, err
}

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
