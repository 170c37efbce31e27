package eventpattern

import (
	"errors"
	"math"
	"strconv"
)

// An Event is one as patterns see it: the values that it has at each path. It is read
// only.
type Event struct {
	fields map[string][]field
	joined bool // there are values that belong together, as they are in one element
}

// A field is a value and the elements of arrays that it is in, outermost first.
type field struct {
	value    value
	elements []element
}

// An element is the place of a value in an array. Arrays are numbered as they come.
type element struct{ array, index int }

// ErrNotEvent says that a text is no JSON object.
var ErrNotEvent = errors.New("not a JSON object")

// ParseEvent reads an event. Numbers keep their digits. The error is [ErrNotEvent].
func ParseEvent(text string) (e *Event, err error) {
	defer func() {
		if caught := recover(); caught != nil {
			if _, ours := caught.(syntaxError); !ours {
				panic(caught)
			}
			e, err = nil, ErrNotEvent
		}
	}()
	f := flattener{scanner: &scanner{text: text}, event: &Event{fields: map[string][]field{}}}
	if f.next() != startObject {
		return nil, ErrNotEvent
	}
	f.object("", nil)
	if f.next() != endOfText {
		return nil, ErrNotEvent
	}
	return f.event, nil
}

// A flattener reads an event.
type flattener struct {
	*scanner
	event  *Event
	arrays int
}

func (f *flattener) object(path string, within []element) {
	for f.next() != endObject {
		f.value(join(path, f.name), f.next(), within)
	}
}

func (f *flattener) value(path string, t token, within []element) {
	switch t {
	case startObject:
		f.object(path, within)
	case startArray:
		f.array(path, within)
	default:
		v := value{kind: t, text: f.valueText(t)}
		if t == numberValue {
			v.number = number(v.text)
		}
		f.event.fields[path] = append(f.event.fields[path], field{v, within})
	}
}

// array reads the elements of an array. Only objects and arrays in it make their values
// belong together; others are alternatives.
func (f *flattener) array(path string, within []element) {
	id := f.arrays
	f.arrays++
	index := 0
	for t := f.next(); t != endArray; t = f.next() {
		in := within
		if t == startObject || t == startArray {
			f.event.joined = true
			in = append(within[:len(within):len(within)], element{id, index})
		}
		f.value(path, t, in)
		index++
	}
}

func number(text string) float64 {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN()
	}
	return n
}
