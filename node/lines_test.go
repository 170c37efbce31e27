package node

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func messages(lines []line) (all []string) {
	for _, l := range lines {
		all = append(all, l.message)
	}
	return all
}

func TestLines(t *testing.T) {
	long := strings.Repeat("x", maxEvent)
	tests := []struct {
		name, start, in string
		want            []string
	}{
		{name: "lines", in: "a\nb\n", want: []string{"a", "b"}},
		{name: "no newline at the end", in: "a\nb", want: []string{"a", "b"}},
		{name: "carriage returns", in: "a\r\nb\r\n", want: []string{"a", "b"}},
		{name: "empty lines", in: "\n\na\n\n\r\nb\n\n", want: []string{"a", "b"}},
		{name: "white space is content", in: " \n\t\n", want: []string{" ", "\t"}},
		{name: "invalid UTF-8", in: "a\xffb\n", want: []string{"a\uFFFDb"}},
		{name: "long line", in: long + "yz\n", want: []string{long, "yz"}},
		{name: "long line of long runes", in: strings.Repeat("é", maxEvent/2+1) + "\n", want: []string{strings.Repeat("é", maxEvent/2), "é"}},
		{name: "multi-line", start: `^\d`, in: "1 a\n at x\n at y\n2 b\n3 c\n", want: []string{"1 a\n at x\n at y", "2 b", "3 c"}},
		{name: "multi-line without a first", start: `^\d`, in: " at x\n1 a\n", want: []string{" at x", "1 a"}},
		{name: "multi-line with an end", start: `^\d`, in: "1 a\r\n at x\r\n2 b", want: []string{"1 a\r\n at x", "2 b"}},
	}
	for _, test := range tests {
		for _, size := range []int{1 << 20, 7} { // whole, and in small pieces
			if size == 7 && len(test.in) > 1000 {
				continue
			}
			t.Run(fmt.Sprint(test.name, " by ", size), func(t *testing.T) {
				s := splitter{}
				if test.start != "" {
					s.start = regexp.MustCompile(test.start)
				}
				var got []line
				for chunk := range slices.Chunk([]byte(test.in), size) {
					got = append(got, s.write(chunk)...)
				}
				got = append(got, s.flush(true)...)
				if !slices.Equal(messages(got), test.want) {
					t.Errorf("got %q, want %q", messages(got), test.want)
				}
				if s.at != int64(len(test.in)) {
					t.Errorf("ends at %d of %d", s.at, len(test.in))
				}
			})
		}
	}
}

// However output comes in pieces, and wherever reading begins anew after an
// event, the events are the same; ends only grow, and none is too long.
func FuzzLines(f *testing.F) {
	f.Add([]byte("a\nb\r\n\nc"), false, uint64(1))
	f.Add([]byte("1 a\n at\n2 b\n"), true, uint64(2))
	f.Fuzz(func(t *testing.T, in []byte, multiline bool, seed uint64) {
		fresh := func(at int64) *splitter {
			s := &splitter{at: at}
			if multiline {
				s.start = regexp.MustCompile(`^\d`)
			}
			return s
		}
		one := fresh(0)
		whole := append(one.write(in), one.flush(true)...)

		random := rand.New(rand.NewPCG(seed, 0))
		var pieces []line
		s := fresh(0)
		for at := 0; at < len(in); {
			n := min(len(in)-at, 1+random.IntN(9))
			found := s.write(in[at : at+n])
			at += n
			pieces = append(pieces, found...)
			if len(pieces) > 0 && random.IntN(4) == 0 { // begin anew after an event
				pieces = pieces[:1+random.IntN(len(pieces))]
				at = int(pieces[len(pieces)-1].end)
				s = fresh(int64(at))
			}
		}
		pieces = append(pieces, s.flush(true)...)
		if !slices.Equal(messages(pieces), messages(whole)) {
			t.Errorf("in pieces %q, whole %q", messages(pieces), messages(whole))
		}
		last := int64(0)
		for _, l := range whole {
			if l.end <= last || l.message == "" || len(l.message) > maxEvent || !utf8.ValidString(l.message) {
				t.Errorf("line %q from %d to %d", l.message, last, l.end)
			}
			if !multiline && bytes.ContainsRune([]byte(l.message), '\n') {
				t.Errorf("a newline in %q", l.message)
			}
			last = l.end
		}
	})
}
