package ecs

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Pages give everything that stays, once and in order, whatever goes in between:
// the item that a token names too.
func TestPages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(t, "revisions")
		var items []string
		for i := range n {
			items = append(items, fmt.Sprintf("arn:task-definition/web:%d", i+1))
		}
		after := ascending
		if rapid.Bool().Draw(t, "descending") {
			slices.Reverse(items)
			after = descending
		}
		max := int32(rapid.IntRange(1, 7).Draw(t, "max"))
		gone := map[string]bool{}
		var given []string
		var token *string
		for range n + 1 {
			got, next, err := page(slices.Values(items), numbered, after, token, &max)
			if err != nil {
				t.Fatal(err)
			}
			given = append(given, got...)
			if next == nil {
				break
			}
			token = next
			items = slices.DeleteFunc(items, func(s string) bool {
				gone[s] = gone[s] || rapid.Bool().Draw(t, "goes "+s)
				return gone[s]
			})
		}
		left := slices.DeleteFunc(slices.Clone(given), func(s string) bool { return gone[s] })
		if !slices.Equal(left, items) {
			t.Fatalf("the pages gave %v, and there is %v", given, items)
		}
	})
}
