package events

import (
	"iter"

	"fargo/api/page"
)

// pageOf is a page of records.
func pageOf[R any](in any, token *string, limit *int32, records iter.Seq[*R], key func(*R) string) ([]*R, *string, error) {
	return page.Of(pages.Ask(in, token, limit), records, key)
}

// listed is a page of records as a list shows them.
func listed[R, T any](in any, token *string, limit *int32, records iter.Seq[*R], key func(*R) string, show func(*R) T) ([]T, *string, error) {
	found, next, err := pageOf(in, token, limit, records, key)
	shown := make([]T, 0, len(found))
	for _, r := range found {
		shown = append(shown, show(r))
	}
	return shown, next, err
}

// only are the items that keep is true of.
func only[R any](records iter.Seq[*R], keep func(*R) bool) iter.Seq[*R] {
	return func(yield func(*R) bool) {
		for r := range records {
			if keep(r) && !yield(r) {
				return
			}
		}
	}
}
