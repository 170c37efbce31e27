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
// tried with every event.
type Index[K comparable] struct {
	exact map[string]map[string][]entry[K] // by path and value
	rest  []entry[K]
}

type entry[K any] struct {
	key    K
	branch branch
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
	x := &Index[K]{exact: map[string]map[string][]entry[K]{}}
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
			x.add(entry[K]{key, b}, best)
		}
	}
	return x
}

// add puts a branch where its leaf with the index best is looked up, -1 for none.
func (x *Index[K]) add(e entry[K], best int) {
	if best < 0 {
		x.rest = append(x.rest, e)
		return
	}
	l := e.branch[best]
	values := x.exact[l.path]
	if values == nil {
		values = map[string][]entry[K]{}
		x.exact[l.path] = values
	}
	for _, v := range exactValues(l) {
		values[v] = append(values[v], e)
	}
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
	var keys []K
	seen := map[K]bool{}
	try := func(entries []entry[K]) {
		for i := range entries {
			if c := &entries[i]; c.branch.matches(e) && !seen[c.key] {
				seen[c.key] = true
				keys = append(keys, c.key)
			}
		}
	}
	for path, values := range x.exact {
		for _, f := range e.fields[path] {
			try(values[lookup(f.value)])
		}
	}
	try(x.rest)
	return keys
}
