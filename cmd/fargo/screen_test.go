package main

import (
	"strings"
	"testing"
)

// TestScreen redraws in place, and shows as much as there is room for.
func TestScreen(t *testing.T) {
	for _, test := range []struct {
		name          string
		columns, rows int
		pictures      []string
		want          string
	}{
		{"in place", 80, 24, []string{"a\nb\n", "a\nb\n", "c\n"}, "a\nb\n\x1b[2F\x1b[Jc\n"},
		{"without a size", 0, 0, []string{"a\nb\nc\nd\n"}, "a\nb\nc\nd\n"},
		{"just enough room", 4, 4, []string{"a\nbééé\nc\n"}, "a\nbééé\nc\n"},
		{"too small", 16, 4, []string{"a\nb\nc\nd\n", "12345678901234567\n"}, "a\nb\n(2 more lines)\n\x1b[3F\x1b[J1234567890123456\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var b strings.Builder
			s := screen{w: &b, terminal: true, size: func() (columns, rows int) { return test.columns, test.rows }}
			for _, picture := range test.pictures {
				if err := s.show(picture); err != nil {
					t.Fatal(err)
				}
			}
			if b.String() != test.want {
				t.Errorf("%q, want %q", b.String(), test.want)
			}
		})
	}
}
