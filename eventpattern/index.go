package eventpattern

import (
	"iter"
	"strconv"
)

// An Index finds which of many patterns an event matches. It is read only: make a new
// one when a pattern changes.
//
// Each branch of a pattern is found by one of its fields that has only exact values:
// the one whose values the fewest other branches have. Those without such a field are
// tried with every event. Paths have numbers: a value is looked for by its path once an
// event, however many branches ask for it.
type Index[K comparable] struct {
	paths map[string]int          // their numbers
	exact []map[string][]entry[K] // by path and value
	rest  []entry[K]
}

type entry[K any] struct {
	key    K
	branch branch
	left   []numbered // the leaves but that by which it is found
}

// numbered is a leaf and the number of its path.
type numbered struct {
	leaf
	path int
}

// NewIndex makes an index of patterns under their keys. A key may have several.
func NewIndex[K comparable](patterns iter.Seq2[K, *Pattern]) *Index[K] {
	type value struct{ path, value string }
	counts := map[value]int{}
	for _, p := range patterns {
		for _, b := range p.branches {
			for _, l := range b {
				for _, v := range exactValues(l) {
					counts[value{l.path, v}]++
				}
			}
		}
	}
	x := &Index[K]{paths: map[string]int{}}
	for key, p := range patterns {
		for _, b := range p.branches {
			best, fewest := -1, 0
			for i, l := range b {
				n := 0
				for _, v := range exactValues(l) {
					n += counts[value{l.path, v}]
				}
				if n > 0 && (best < 0 || n < fewest) {
					best, fewest = i, n
				}
			}
			x.add(key, b, best)
		}
	}
	return x
}

// add puts a branch where its leaf with the index best is looked up, -1 for none.
func (x *Index[K]) add(key K, b branch, best int) {
	e := entry[K]{key: key, branch: b}
	for i := range b {
		if n := x.number(b[i].path); i != best {
			e.left = append(e.left, numbered{b[i], n})
		}
	}
	if best < 0 {
		x.rest = append(x.rest, e)
		return
	}
	values := &x.exact[x.paths[b[best].path]]
	if *values == nil {
		*values = map[string][]entry[K]{}
	}
	for _, v := range exactValues(b[best]) {
		(*values)[v] = append((*values)[v], e)
	}
}

// number is that of a path, which gets one when it has none.
func (x *Index[K]) number(path string) int {
	n, ok := x.paths[path]
	if !ok {
		n = len(x.paths)
		x.paths[path], x.exact = n, append(x.exact, nil)
	}
	return n
}

// exactValues are the values of a leaf as they are looked up; none if there are others.
func exactValues(l leaf) []string {
	if l.absent {
		return nil
	}
	var values []string
	for _, t := range l.tests {
		switch t := t.(type) {
		case exact:
			values = append(values, lookup(value{kind: stringValue, text: string(t)}))
		case literal:
			values = append(values, lookup(value{kind: token(t)}))
		default:
			return nil
		}
	}
	return values
}

// lookup is the value that a field has, as an index has it.
func lookup(v value) string {
	if v.kind == stringValue {
		return `"` + v.text
	}
	return strconv.Itoa(int(v.kind))
}

// Match gives the keys of the patterns that an event matches, each once, in no order.
func (x *Index[K]) Match(e *Event) []K {
	fields := make([][]field, len(x.paths))
	for path, f := range e.fields {
		if n, ok := x.paths[path]; ok {
			fields[n] = f
		}
	}
	var keys []K
	seen := map[K]bool{}
	try := func(entries []entry[K]) {
		for i := range entries {
			if c := &entries[i]; c.matches(e, fields) && !seen[c.key] {
				seen[c.key] = true
				keys = append(keys, c.key)
			}
		}
	}
	for n, values := range x.exact {
		for i := range fields[n] {
			try(values[lookup(fields[n][i].value)])
		}
	}
	try(x.rest)
	return keys
}

// matches reports whether the branch does, of which one leaf is known to. fields are the
// event's, by the numbers of their paths.
func (c *entry[K]) matches(e *Event, fields [][]field) bool {
	for i := range c.left {
		if l := &c.left[i]; !l.possible(fields[l.path], e.joined) {
			return false
		}
	}
	return !e.joined || c.branch.consistent(e, nil)
}
