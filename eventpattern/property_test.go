package eventpattern

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// values are few, so that events and patterns often meet.
var (
	names   = rapid.SampledFrom([]string{"a", "b", "c"})
	scalars = rapid.SampledFrom([]any{"x", "xy", "yx", "X", "", 1.0, 2.5, -1.0, true, false, nil, "10.0.0.1"})
)

func events(depth int) *rapid.Generator[map[string]any] {
	return rapid.Custom(func(t *rapid.T) map[string]any {
		event := map[string]any{}
		for range rapid.IntRange(0, 3).Draw(t, "fields") {
			event[names.Draw(t, "name")] = anyValue(t, depth)
		}
		return event
	})
}

func anyValue(t *rapid.T, depth int) any {
	switch n := rapid.IntRange(0, 4).Draw(t, "kind"); {
	case depth > 0 && n == 3:
		return events(depth-1).Draw(t, "object")
	case depth > 0 && n == 4:
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			list = append(list, anyValue(t, depth-1))
		}
		return list
	}
	return scalars.Draw(t, "scalar")
}

var expressions = rapid.SampledFrom([]any{
	"x", "xy", 1.0, true, nil,
	map[string]any{"prefix": "x"},
	map[string]any{"suffix": "x"},
	map[string]any{"exists": true},
	map[string]any{"exists": false},
	map[string]any{"anything-but": "x"},
	map[string]any{"anything-but": []any{1.0, 2.5}},
	map[string]any{"numeric": []any{">", 0.0, "<=", 2.5}},
	map[string]any{"equals-ignore-case": "x"},
	map[string]any{"wildcard": "x*"},
	map[string]any{"cidr": "10.0.0.0/24"},
})

func patterns(depth int) *rapid.Generator[map[string]any] {
	return rapid.Custom(func(t *rapid.T) map[string]any {
		pattern := map[string]any{}
		for range rapid.IntRange(1, 3).Draw(t, "fields") {
			name := names.Draw(t, "name")
			if depth > 0 && rapid.Bool().Draw(t, "nested") {
				pattern[name] = patterns(depth-1).Draw(t, "object")
				continue
			}
			pattern[name] = rapid.SliceOfN(expressions, 1, 2).Draw(t, "values")
		}
		return pattern
	})
}

// chosen are all ways to choose one element of every array in v: a pattern matches an
// event if it matches the objects of one of these, where arrays of scalars stay.
func chosen(v any) []any {
	switch v := v.(type) {
	case []any:
		var all []any
		var scalar []any
		for _, e := range v {
			switch e.(type) {
			case map[string]any, []any:
				all = append(all, chosen(e)...)
			default:
				scalar = append(scalar, e)
			}
		}
		return append(append(all, scalar...), missing{})
	case map[string]any:
		all := []any{map[string]any{}}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			var next []any
			for _, so := range all {
				for _, choice := range chosen(v[name]) {
					m := maps.Clone(so.(map[string]any))
					m[name] = choice
					next = append(next, m)
				}
			}
			all = next
		}
		return all
	}
	return []any{v}
}

// missing is where an array had no element to choose.
type missing struct{}

// holds is a slow way to tell whether a pattern without exists: false matches: the same
// sentence as the user guide's, for an event without arrays.
func holds(pattern map[string]any, event any) bool {
	object, _ := event.(map[string]any)
	for name, want := range pattern {
		got, there := object[name]
		switch want := want.(type) {
		case map[string]any:
			if !there || !holds(want, got) {
				return false
			}
		case []any:
			if _, nested := got.(map[string]any); nested || got == (missing{}) || !there {
				return false
			}
			if !slices.ContainsFunc(want, func(e any) bool { return accepts(e, got) }) {
				return false
			}
		}
	}
	return true
}

func accepts(expression, got any) bool {
	m, ok := expression.(map[string]any)
	if !ok {
		return expression == got
	}
	text, isText := got.(string)
	number, isNumber := got.(float64)
	for operator, want := range m {
		switch operator {
		case "prefix":
			return isText && strings.HasPrefix(text, want.(string))
		case "suffix":
			return isText && strings.HasSuffix(text, want.(string))
		case "exists":
			return true
		case "anything-but":
			if list, ok := want.([]any); ok {
				return !slices.Contains(list, got)
			}
			return want != got
		case "numeric":
			return isNumber && number > 0 && number <= 2.5
		case "equals-ignore-case":
			return isText && strings.EqualFold(text, want.(string))
		case "wildcard":
			return isText && strings.HasPrefix(text, "x")
		case "cidr":
			return text == "10.0.0.1"
		}
	}
	return false
}

// TestMatchesReference compares with the slow way.
func TestMatchesReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		event, pattern := events(2).Draw(t, "event"), patterns(2).Draw(t, "pattern")
		text := encode(pattern)
		if strings.Contains(text, `"exists":false`) {
			t.Skip("depends on the order of fields in arrays")
		}
		p, err := Parse(text)
		if err != nil {
			t.Fatal(text, err)
		}
		e, err := ParseEvent(encode(event))
		if err != nil {
			t.Fatal(err)
		}
		want := slices.ContainsFunc(chosen(event), func(e any) bool { return holds(pattern, e) })
		if got := p.Matches(e); got != want {
			t.Fatalf("%s matches %s: %v, want %v", text, encode(event), got, want)
		}
	})
}

// TestIndexMatches compares an index with trying every pattern.
func TestIndexMatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := map[int]*Pattern{}
		for i, pattern := range rapid.SliceOfN(patterns(1), 0, 10).Draw(t, "patterns") {
			p, err := Parse(encode(pattern))
			if err != nil {
				t.Fatal(err)
			}
			all[i] = p
		}
		e, err := ParseEvent(encode(events(2).Draw(t, "event")))
		if err != nil {
			t.Fatal(err)
		}
		var want []int
		for i, p := range all {
			if p.Matches(e) {
				want = append(want, i)
			}
		}
		got := NewIndex(maps.All(all)).Match(e)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// FuzzParse holds that whatever is a pattern or an event neither panics nor hangs, and
// that what is taken is JSON.
func FuzzParse(f *testing.F) {
	f.Add(`{"a": [{"prefix": "x"}, 1, null], "$or": [{"b": [true]}, {"c": ["y"]}]}`, `{"a": ["xy"], "b": true}`)
	f.Add(`{"a": [{"anything-but": {"wildcard": ["*x*", "\\*"]}}]}`, `{"a": [{"b": 1}, [2, "\u00e9"]]}`)
	f.Add(`{"a": [{"numeric": [">=", -1e3, "<", 2]}]}`, `{"a": 1e400}`)
	f.Fuzz(func(t *testing.T, pattern, event string) {
		p, err := Parse(pattern)
		e, eventErr := ParseEvent(event)
		if eventErr == nil && !json.Valid([]byte(event)) {
			t.Errorf("event taken: %q", event)
		}
		if err == nil && eventErr == nil {
			indexed := NewIndex(maps.All(map[int]*Pattern{1: p})).Match(e)
			if p.Matches(e) != (len(indexed) == 1) {
				t.Errorf("index differs for %q and %q", pattern, event)
			}
		}
	})
}

// BenchmarkMatch matches an event against 10,000 rules.
func BenchmarkMatch(b *testing.B) {
	bench := func(name string, pattern func(i int) string) {
		b.Run(name, func(b *testing.B) {
			all := map[int]*Pattern{}
			for i := range 10_000 {
				p, err := Parse(pattern(i))
				if err != nil {
					b.Fatal(err)
				}
				all[i] = p
			}
			index := NewIndex(maps.All(all))
			event := `{"version":"0","id":"1","source":"app.42","detail-type":"Order","account":"123456789012","region":"us-east-1",
				"time":"2026-01-01T00:00:00Z","resources":[],"detail":{"state":"s42","count":42,"lines":["a","b"]}}`
			for b.Loop() {
				e, err := ParseEvent(event)
				if err != nil {
					b.Fatal(err)
				}
				index.Match(e)
			}
		})
	}
	bench("source", func(i int) string { return fmt.Sprintf(`{"source":["app.%d"],"detail":{"state":["s%d"]}}`, i, i) })
	bench("detail", func(i int) string { return fmt.Sprintf(`{"source":["app.42"],"detail":{"state":["s%d"]}}`, i) })
	bench("prefix", func(i int) string {
		return fmt.Sprintf(`{"source":["app.42"],"detail":{"state":[{"prefix":"s%d"}]}}`, i)
	})
	bench("numeric", func(i int) string { return fmt.Sprintf(`{"detail":{"count":[{"numeric":[">",%d]}]}}`, i) })
}
