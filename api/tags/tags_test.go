package tags_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fargo/api/tags"
)

type tag = tags.Pair

var (
	errTooMany   = errors.New("too many")
	errKey       = errors.New("key")
	errValue     = errors.New("value")
	errReserved  = errors.New("reserved")
	errDuplicate = errors.New("duplicate")
)

var rules = tags.Rules[tag]{
	Most: 3, MostKey: 4, MostValue: 5,
	TooMany:   func(int) error { return errTooMany },
	BadKey:    func(int) error { return errKey },
	BadValue:  func(int) error { return errValue },
	Reserved:  func(string) error { return errReserved },
	Duplicate: func(string) error { return errDuplicate },
}

func folding() *tags.Rules[tag] {
	r := rules
	r.FoldCase = true
	return &r
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		rules *tags.Rules[tag]
		given []tag
		want  error
	}{
		{&rules, nil, nil},
		{&rules, []tag{{"a", "1"}, {"b", ""}, {"A", "1"}}, nil},
		{&rules, []tag{{"a", ""}, {"b", ""}, {"c", ""}, {"d", ""}}, errTooMany},
		{&rules, []tag{{"", "1"}}, errKey},
		{&rules, []tag{{"abcde", "1"}}, errKey},
		{&rules, []tag{{"éééé", "ééééé"}}, nil}, // characters, not bytes
		{&rules, []tag{{"a", "123456"}}, errValue},
		{&rules, []tag{{"aws:", "1"}}, errReserved},
		{&rules, []tag{{"AwS:", "1"}}, errReserved},
		{&rules, []tag{{"aws", "1"}}, nil},
		{&rules, []tag{{"a", "1"}, {"a", "2"}}, errDuplicate},
		{folding(), []tag{{"a", "1"}, {"A", "2"}}, errDuplicate},
	} {
		if err := c.rules.Check(c.given); !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%v: %v, want %v", c.given, err, c.want)
		}
	}
}

func TestMerge(t *testing.T) {
	has := []tag{{"b", "1"}, {"aws:x", "y"}, {"a", "1"}}
	for _, c := range []struct {
		rules *tags.Rules[tag]
		given []tag
		want  []tag
		err   error
	}{
		{&rules, nil, has, nil},
		{&rules, []tag{{"a", "2"}, {"c", "3"}}, []tag{{"b", "1"}, {"aws:x", "y"}, {"a", "2"}, {"c", "3"}}, nil},
		{&rules, []tag{{"c", ""}, {"d", ""}}, nil, errTooMany},
		{folding(), []tag{{"B", "2"}}, []tag{{"B", "2"}, {"aws:x", "y"}, {"a", "1"}}, nil},
		{&rules, []tag{{"c", ""}, {"c", ""}}, nil, errDuplicate},
	} {
		before := slices.Clone(has)
		got, err := c.rules.Merge(has, c.given)
		if !slices.Equal(got, c.want) || !errors.Is(err, c.err) {
			t.Errorf("%v over %v: %v, %v, want %v, %v", c.given, has, got, err, c.want, c.err)
		}
		if !slices.Equal(has, before) {
			t.Fatalf("Merge changed what the resource had to %v", has)
		}
	}
}

func TestRemove(t *testing.T) {
	has := []tag{{"a", "1"}, {"aws:x", "y"}, {"b", "2"}}
	for _, c := range []struct {
		remove func() ([]tag, error)
		want   []tag
		err    error
	}{
		{func() ([]tag, error) { return rules.Remove(has, []string{"a", "none"}) }, has[1:], nil},
		{func() ([]tag, error) { return rules.Remove(has, []string{"A"}) }, has, nil},
		{func() ([]tag, error) { return folding().Remove(has, []string{"A"}) }, has[1:], nil},
		{func() ([]tag, error) { return rules.Remove(has, []string{"aws:x"}) }, nil, errReserved},
		{func() ([]tag, error) { return rules.RemoveMatching(has, []tag{{"a", "1"}, {"b", "1"}}) }, has[1:], nil},
		{func() ([]tag, error) { return rules.RemoveMatching(has, []tag{{"aws:x", "y"}}) }, nil, errReserved},
		{func() ([]tag, error) { return tags.RemoveAll(has), nil }, has[1:2], nil},
	} {
		before := slices.Clone(has)
		got, err := c.remove()
		if !slices.Equal(got, c.want) || !errors.Is(err, c.err) {
			t.Errorf("got %v, %v, want %v, %v", got, err, c.want, c.err)
		}
		if !slices.Equal(has, before) {
			t.Fatalf("Remove changed what the resource had to %v", has)
		}
	}
	if left, _ := rules.Remove([]tag{{"a", "1"}}, []string{"a"}); left == nil {
		t.Error("no tags left are shown as absent")
	}
}

// A tag without a value is taken away by its key alone.
func TestRemoveMatchingAKey(t *testing.T) {
	has := []bare{{"a", new("1")}, {"b", nil}}
	r := tags.Rules[bare]{}
	if left, err := r.RemoveMatching(has, []bare{{"a", nil}}); err != nil || len(left) != 1 || left[0].key != "b" {
		t.Errorf("a is not gone: %v, %v", left, err)
	}
	if left, err := r.RemoveMatching(has, []bare{{"b", new("")}}); err != nil || len(left) != 1 || left[0].key != "a" {
		t.Errorf("b, whose value is empty, is not gone: %v, %v", left, err)
	}
}

type bare struct {
	key   string
	value *string
}

func (b bare) KeyValue() (key, value *string) { return &b.key, b.value }

// Whatever is given and taken, a resource has no key twice, has the value given
// last, keeps what was not named, and has no more than it may.
func TestTagsOfAResource(t *testing.T) {
	keys := rapid.SampledFrom([]string{"a", "A", "b", "c", "d", "e"})
	rapid.Check(t, func(t *rapid.T) {
		r := &rules
		same := func(s string) string { return s }
		if rapid.Bool().Draw(t, "fold") {
			r, same = folding(), strings.ToLower
		}
		var has []tag
		want := map[string]string{}
		t.Repeat(map[string]func(*rapid.T){
			"give": func(t *rapid.T) {
				var given []tag
				for i, key := range rapid.SliceOfN(keys, 0, 4).Draw(t, "keys") {
					given = append(given, tag{key, fmt.Sprint(i)})
				}
				merged, err := r.Merge(has, given)
				next := maps.Clone(want)
				for _, g := range given {
					next[same(g.Key)] = g.Value
				}
				if err != nil {
					if len(next) <= 3 && !errors.Is(err, errDuplicate) && len(given) <= 3 {
						t.Fatalf("%v over %v: %v", given, has, err)
					}
					return
				}
				has, want = merged, next
			},
			"take": func(t *rapid.T) {
				key := keys.Draw(t, "key")
				left, err := r.Remove(has, []string{key})
				if err != nil {
					t.Fatal(err)
				}
				has = left
				delete(want, same(key))
			},
			"": func(t *rapid.T) {
				got := map[string]string{}
				for _, h := range has {
					got[same(h.Key)] = h.Value
				}
				if len(got) != len(has) || !maps.Equal(got, want) || len(has) > 3 {
					t.Fatalf("the resource has %v, want %v", has, want)
				}
			},
		})
	})
}

func TestPairs(t *testing.T) {
	m := map[string]string{"b": "2", "a": "1"}
	pairs := tags.Pairs(m)
	if !slices.Equal(pairs, []tag{{"a", "1"}, {"b", "2"}}) || !maps.Equal(tags.Map(pairs), m) {
		t.Errorf("%v gives %v", m, pairs)
	}
}
