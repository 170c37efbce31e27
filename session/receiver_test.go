package session

import (
	"slices"
	"testing"
)

// Messages of which two have one number are all used, once, in their order.
func TestTwins(t *testing.T) {
	id := func(content string) messageID { return messageID([]byte(content + "................")[:16]) }
	type sent struct {
		sequence int64
		content  string
	}
	for name, test := range map[string]struct {
		sent []sent
		want []string
		next int64
	}{
		"none":                        {[]sent{{0, "a"}, {1, "b"}, {1, "b"}, {0, "a"}}, []string{"a", "b"}, 2},
		"and a number is left out":    {[]sent{{0, "a"}, {1, "b"}, {1, "c"}, {3, "d"}, {4, "e"}}, []string{"a", "b", "c", "d", "e"}, 5},
		"and none is left out":        {[]sent{{0, "a"}, {1, "b"}, {1, "c"}, {2, "d"}}, []string{"a", "b", "c", "d"}, 3},
		"which come again":            {[]sent{{0, "a"}, {0, "b"}, {0, "a"}, {0, "b"}, {0, "c"}, {2, "d"}}, []string{"a", "b", "d"}, 3},
		"before their time":           {[]sent{{1, "b"}, {1, "c"}, {1, "c"}, {0, "a"}, {3, "d"}}, []string{"a", "b", "c", "d"}, 4},
		"and what is lost comes late": {[]sent{{0, "a"}, {0, "b"}, {2, "d"}, {1, "c"}, {3, "e"}}, []string{"a", "b", "d", "c", "e"}, 4},
		"elsewhere a gap is one":      {[]sent{{0, "a"}, {2, "c"}}, []string{"a"}, 1},
	} {
		var r receiver
		var got []string
		for _, s := range test.sent {
			if !r.accept(message{sequence: s.sequence, id: id(s.content), content: []byte(s.content)}) {
				t.Errorf("%s: %s is not acknowledged", name, s.content)
			}
			for m, _, ok := r.take(); ok; m, _, ok = r.take() {
				got = append(got, string(m.content))
			}
		}
		if !slices.Equal(got, test.want) || r.next != test.next {
			t.Errorf("%s: %q, the next is %d", name, got, r.next)
		}
	}
}
