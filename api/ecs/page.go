package ecs

import (
	"encoding/base64"
	"iter"
	"strings"
)

// maxPage is how many results a List call gives at most, and at once when not
// told otherwise.
const maxPage = 100

// order tells whether a key comes after another one in a list.
type order func(key, other string) bool

func ascending(key, other string) bool  { return key > other }
func descending(key, other string) bool { return key < other }

// page takes one page out of items, whose keys are in order: those after the key
// in token, at most max of them. The item that had that key may be gone
// meanwhile. next is the token for the rest, nil at the end.
func page[T any](items iter.Seq[T], key func(T) string, after order, token *string, max *int32) (out []T, next *string, err error) {
	limit := maxPage
	if max != nil {
		if *max < 1 || *max > maxPage {
			return nil, nil, invalid("maxResults should be between 1 and %d.", maxPage)
		}
		limit = int(*max)
	}
	seen := ""
	if token != nil && *token != "" {
		b, err := base64.RawURLEncoding.DecodeString(*token)
		rest, ok := strings.CutPrefix(string(b), "after:")
		if err != nil || !ok {
			return nil, nil, invalid("Invalid token")
		}
		seen = rest
	}
	for item := range items {
		if seen != "" && !after(key(item), seen) {
			continue
		}
		if len(out) == limit {
			last := base64.RawURLEncoding.EncodeToString([]byte("after:" + key(out[len(out)-1])))
			return out, &last, nil
		}
		out = append(out, item)
	}
	return out, nil, nil
}
