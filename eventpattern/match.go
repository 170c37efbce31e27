package eventpattern

// Matches reports whether an event matches the pattern.
func (p *Pattern) Matches(e *Event) bool {
	for _, b := range p.branches {
		if b.matches(e) {
			return true
		}
	}
	return false
}

func (b branch) matches(e *Event) bool {
	for i := range b {
		if !b[i].possible(e.fields[b[i].path], e.joined) {
			return false
		}
	}
	return !e.joined || b.consistent(e, nil)
}

// possible reports whether a leaf alone matches the values at its path. Unless values of
// the event belong together, that is all there is to it.
func (l *leaf) possible(fields []field, joined bool) bool {
	for i := range fields {
		if l.accepts(fields[i].value) {
			return true
		}
	}
	return l.absent && (joined || len(fields) == 0)
}

func (l *leaf) accepts(v value) bool {
	for _, t := range l.tests {
		if t.matches(v) {
			return true
		}
	}
	return false
}

// consistent reports whether there is a value for each leaf so that all of them that are
// in one array are in one element of it. within are the elements of the values so far.
// A field is absent for exists when the elements so far have none.
func (b branch) consistent(e *Event, within []element) bool {
	if len(b) == 0 {
		return true
	}
	found := false
	for _, f := range e.fields[b[0].path] {
		joined, ok := joinElements(within, f.elements)
		if !ok {
			continue
		}
		found = true
		if b[0].accepts(f.value) && b[1:].consistent(e, joined) {
			return true
		}
	}
	return !found && b[0].absent && b[1:].consistent(e, within)
}

// joinElements are the elements of both, unless they are different ones of an array.
func joinElements(within, more []element) ([]element, bool) {
	joined := within
next:
	for _, m := range more {
		for _, w := range within {
			if w.array == m.array {
				if w.index != m.index {
					return nil, false
				}
				continue next
			}
		}
		joined = append(joined[:len(joined):len(joined)], m)
	}
	return joined, true
}
