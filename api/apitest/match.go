package apitest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"fargo"
)

// A matcher compares our answers with recorded ones. It keeps what the placeholders
// of a case stand for.
type matcher struct {
	bound     map[string]string // "<role-id:1>" to the value
	unordered bool              // whether lists are compared as sets
}

// newMatcher knows the placeholders that stand for the same in every case.
func newMatcher() *matcher {
	return &matcher{bound: map[string]string{
		"<partition>": "aws", "<region>": fargo.DefaultRegion, "<account-id>": fargo.DefaultAccount,
		recordedAccount: fargo.DefaultAccount,
	}}
}

// recordedAccount is what the recordings write for the account that asked.
const recordedAccount = "111111111111"

var placeholder = regexp.MustCompile(`<[A-Za-z][\w :.-]*>|` + recordedAccount)

// anything is what the recordings write for times, and for what KMS encrypts.
var anything = map[string]bool{
	"datetime": true, "<datetime>": true, "timestamp": true, "<timestamp>": true, "date": true,
	"ciphertext-blob": true, "plaintext": true,
}

// replace writes what placeholders stand for into a request.
func (m *matcher) replace(request string) string {
	return placeholder.ReplaceAllStringFunc(request, func(p string) string {
		if v, ok := m.bound[p]; ok {
			return v
		}
		return p
	})
}

// match says how got differs from want, if it does. At is where in the answer.
func (m *matcher) match(want, got any, at string) error {
	switch w := want.(type) {
	case map[string]any:
		return m.matchMap(w, document(got), at)
	case []any:
		return m.matchList(w, got, at)
	case string:
		return m.matchText(w, got, at)
	}
	if want != got {
		return fmt.Errorf("%s is %v, AWS says %v", at, marshal(got), want)
	}
	return nil
}

// document reads a policy, which clients decode and the recordings therefore hold as
// JSON values.
func document(got any) any {
	s, ok := got.(string)
	if !ok {
		return got
	}
	if unescaped, err := url.QueryUnescape(s); err == nil && strings.HasPrefix(s, "%7B") {
		s = unescaped
	}
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		return got
	}
	return v
}

func (m *matcher) matchMap(want map[string]any, got any, at string) error {
	g, ok := got.(map[string]any)
	if !ok {
		return fmt.Errorf("%s is %s, not a structure", at, marshal(got))
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		v, ok := member(g, m.replace(name))
		if !ok {
			return fmt.Errorf("%s.%s is absent, AWS says %s", at, name, marshal(want[name]))
		}
		if err := m.match(want[name], v, at+"."+name); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(g)) {
		if _, ok := m.wanted(want, name); !ok {
			return fmt.Errorf("%s.%s is %s, AWS leaves it out", at, name, marshal(g[name]))
		}
	}
	return nil
}

// wanted is the member of a recorded structure that has the name of one of ours.
func (m *matcher) wanted(want map[string]any, name string) (any, bool) {
	for n, v := range want {
		if strings.EqualFold(m.replace(n), name) {
			return v, true
		}
	}
	return nil, false
}

// member finds a member whatever the case of its first letter: our structures spell
// names as Go does.
func member(of map[string]any, name string) (any, bool) {
	if v, ok := of[name]; ok {
		return v, true
	}
	for n, v := range of {
		if strings.EqualFold(n, name) {
			return v, true
		}
	}
	return nil, false
}

func (m *matcher) matchList(want []any, got any, at string) error {
	g, ok := got.([]any)
	if !ok {
		return fmt.Errorf("%s is %s, not a list", at, marshal(got))
	}
	if len(g) != len(want) {
		return fmt.Errorf("%s has %d items, AWS has %d", at, len(g), len(want))
	}
	left := slices.Clone(g)
	for i, w := range want {
		j, err := m.find(w, left, fmt.Sprintf("%s[%d]", at, i))
		if err != nil {
			return err
		}
		left = slices.Delete(left, j, j+1)
	}
	return nil
}

// find is which of the items left a wanted one is: the first, unless lists are
// compared as sets.
func (m *matcher) find(want any, left []any, at string) (int, error) {
	var all []error
	for j, g := range left {
		before := maps.Clone(m.bound)
		err := m.match(want, g, at)
		if err == nil {
			return j, nil
		}
		m.bound = before
		all = append(all, err)
		if !m.unordered {
			break
		}
	}
	return 0, errors.Join(all...)
}

func (m *matcher) matchText(want string, got any, at string) error {
	if anything[want] && got != nil {
		return nil
	}
	s, ok := got.(string)
	if !ok {
		s = marshal(got)
	}
	pattern, names := m.pattern(want)
	values := regexp.MustCompile(pattern).FindStringSubmatch(s)
	if values == nil || (!ok && !placeholder.MatchString(want)) {
		return fmt.Errorf("%s is %s, AWS says %q", at, marshal(got), m.replace(want))
	}
	for i, name := range names {
		if v, ok := m.bound[name]; ok && v != values[i+1] {
			return fmt.Errorf("%s is %q, but %s is %q", at, s, name, v)
		}
		m.bound[name] = values[i+1]
	}
	return nil
}

// pattern is the regular expression of a recorded text, and the placeholders that
// stand for nothing yet in the order of its groups.
func (m *matcher) pattern(want string) (string, []string) {
	var b strings.Builder
	var names []string
	last := 0
	for _, span := range placeholder.FindAllStringIndex(want, -1) {
		b.WriteString(regexp.QuoteMeta(want[last:span[0]]))
		last = span[1]
		name := want[span[0]:span[1]]
		switch v, ok := m.bound[name]; {
		case anything[name]:
			b.WriteString(".+")
		case ok:
			b.WriteString(regexp.QuoteMeta(v))
		default:
			b.WriteString("(.+?)")
			names = append(names, name)
		}
	}
	b.WriteString(regexp.QuoteMeta(want[last:]))
	return "(?s)^" + b.String() + "$", names
}
