package eventpattern

import (
	"fmt"
	"slices"
)

// A wildcard is a string in which * stands for any characters. Each element is a byte,
// or star.
type wildcard []int16

const star int16 = -1

// parseWildcard reads a wildcard, in which \* and \\ stand for the characters
// themselves. Positions in errors count from the quote before it, as event-ruler's
// WildcardParser does.
func parseWildcard(text string) (w wildcard, err error) {
	for i := 0; i < len(text); i++ {
		next := byte('"')
		if i+1 < len(text) {
			next = text[i+1]
		}
		switch c := text[i]; {
		case c == '*' && next == '*':
			return nil, fmt.Errorf("Consecutive wildcard characters at pos %d", i+1)
		case c == '*':
			w = append(w, star)
		case c == '\\' && (next == '*' || next == '\\'):
			w = append(w, int16(next))
			i++
		case c == '\\':
			return nil, fmt.Errorf("Invalid escape character at pos %d", i+1)
		default:
			w = append(w, int16(c))
		}
	}
	return w, nil
}

// matches goes back to the last star only: an earlier one could match no more.
func (w wildcard) matches(v value) bool {
	if v.kind != stringValue {
		return false
	}
	text, i, n := v.text, 0, 0
	lastStar, resume := -1, 0
	for n < len(text) {
		switch {
		case i < len(w) && w[i] == star:
			lastStar, resume = i, n
			i++
		case i < len(w) && w[i] == int16(text[n]):
			i++
			n++
		case lastStar >= 0:
			resume++
			i, n = lastStar+1, resume
		default:
			return false
		}
	}
	return i == len(w) || i == len(w)-1 && w[i] == star
}

// maxSteps is how many positions in a wildcard a text may go on from with one byte. AWS has a limit of this kind and does not say which: it takes
// "/Users/*/dir/dir/dir/dir/dir/doc.txt", whose most is 7, and refuses
// "*:*:*:*:*:event-bus/*", whose most is 10 (both recorded).
const maxSteps = 9

// maxStates is how many sets of positions are looked at before a wildcard counts as too
// complex whatever they are.
const maxStates = 10_000

// errTooComplex is AWS's.
var errTooComplex = &SyntaxError{"Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character"}

// checkComplexity refuses patterns whose wildcards could take long to match.
func (p *Pattern) checkComplexity() error {
	for _, b := range p.branches {
		for _, l := range b {
			if slices.ContainsFunc(wildcards(l.tests), wildcard.complex) {
				return errTooComplex
			}
		}
	}
	return nil
}

func wildcards(tests []test) (ws []wildcard) {
	for _, t := range tests {
		switch t := t.(type) {
		case wildcard:
			ws = append(ws, t)
		case anythingBut:
			ws = append(ws, wildcards(t)...)
		}
	}
	return ws
}

// complex reports whether some text takes more than maxSteps with one byte. It looks at every
// set of positions that a text can reach.
func (w wildcard) complex() bool {
	seen := map[string]bool{}
	todo := [][]int{{0}}
	for len(todo) > 0 {
		set := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		key := fmt.Sprint(set)
		if seen[key] {
			continue
		}
		if seen[key] = true; len(seen) > maxStates {
			return true
		}
		for _, c := range w.nextBytes(set) {
			after := w.step(set, c)
			if len(after) > maxSteps {
				return true
			}
			slices.Sort(after)
			todo = append(todo, slices.Compact(after))
		}
	}
	return false
}

// another stands for every byte that a wildcard does not have.
const another int16 = 256

// nextBytes are the bytes that a set of positions tells apart, and another.
func (w wildcard) nextBytes(set []int) []int16 {
	bytes := []int16{another}
	for _, at := range set {
		if at < len(w) && w[at] == star {
			at++
		}
		if at < len(w) && w[at] != star {
			bytes = append(bytes, w[at])
		}
	}
	slices.Sort(bytes)
	return slices.Compact(bytes)
}

// step are the positions that are reached from a set with the byte c, in no order, and
// twice when there are two ways. A star is a position of its own, which every byte leads
// back to.
func (w wildcard) step(set []int, c int16) (after []int) {
	for _, at := range set {
		if at < len(w) && w[at] == star {
			after = append(after, at)
			at++
		}
		if at < len(w) && w[at] == c {
			after = append(after, at+1)
		}
	}
	return after
}
