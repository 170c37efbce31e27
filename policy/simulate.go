package policy

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
)

// Simulation is a decision about one resource with all that led to it.
type Simulation struct {
	Decision
	// Matched are the statements that decided: all that deny, or else all that allow;
	// none for an implicit deny. Those of a permissions boundary and of service control
	// policies are not among them.
	Matched []Match
	// Missing are the names of condition keys, as they were first written, that
	// statements about the action and the resource ask for and the context does not have.
	Missing []string
	// WithinBoundary tells whether the permissions boundary allows the action; nil
	// without one.
	WithinBoundary *bool
	// WithinOrganization tells the same of the service control policies.
	WithinOrganization *bool
}

// Match is a statement that applies to a request.
type Match struct {
	Policy string // its name: see [Policy]
	*Statement
}

// Simulate is [Decide] for one resource, explained.
func Simulate(c *Caller, action string, on Resource, context Context) Simulation {
	s := Simulation{Decision: Decide(c, action, []Resource{on}, context)}
	r := Request{Action: action, Resource: on.ARN, Principal: c.Principal, Context: context}
	lowered := strings.ToLower(action)
	if c.Boundary != nil {
		s.WithinBoundary = new(find(c.Boundary.denies, lowered, &r) == nil && c.Boundary.allow(lowered, &r) != nil)
	}
	if len(c.Organization) > 0 {
		s.WithinOrganization = new(!slices.ContainsFunc(c.Organization, func(level *Set) bool {
			return find(level.denies, lowered, &r) != nil || level.allow(lowered, &r) == nil
		}))
	}
	for _, set := range []*Set{c.Identity, c.Session, on.Policies} {
		if set != nil {
			s.add(set, lowered, &r)
		}
	}
	return s
}

// add looks at the statements of a set.
func (s *Simulation) add(set *Set, action string, r *Request) {
	for _, rules := range [][]rule{set.denies, set.allows} {
		for i := range rules {
			if !rules[i].concerns(action, r) {
				continue
			}
			for _, key := range rules[i].contextKeys() {
				if len(r.values(strings.ToLower(key))) == 0 && !containsFold(s.Missing, key) {
					s.Missing = append(s.Missing, key)
				}
			}
			decided := s.Effect == Allow && rules[i].Allow || s.Effect == ExplicitDeny && !rules[i].Allow
			if decided && rules[i].matches(action, r) {
				s.Matched = append(s.Matched, Match{rules[i].policy, rules[i].Statement})
			}
		}
	}
}

// concerns reports whether a statement is about the action and resource of a request,
// whatever its conditions.
func (s *Statement) concerns(action string, r *Request) bool {
	unconditional := *s
	unconditional.compiled.conditions = nil
	return unconditional.matches(action, r)
}

// ContextKeys are the names of the condition keys that a document asks for, in conditions
// and variables, each once and as it was first written.
func (d Document) ContextKeys() (keys []string) {
	for i := range d.Statements {
		for _, key := range d.Statements[i].contextKeys() {
			if !containsFold(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

func (s *Statement) contextKeys() (keys []string) {
	for _, c := range s.Conditions {
		keys = append(keys, c.Key)
		for _, value := range c.Values {
			keys = append(keys, variablesOf(value)...)
		}
	}
	for _, resource := range slices.Concat(s.Resources, s.NotResources) {
		keys = append(keys, variablesOf(resource)...)
	}
	return keys
}

// variablesOf are the keys of the variables in a text.
func variablesOf(s string) (keys []string) {
	for {
		_, rest, found := strings.Cut(s, "${")
		if !found {
			return keys
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return keys
		}
		key, _, _ := strings.Cut(name, ",")
		if key = strings.TrimSpace(key); strings.Contains(key, ":") {
			keys = append(keys, key)
		}
		s = after
	}
}

func containsFold(all []string, s string) bool {
	return slices.ContainsFunc(all, func(o string) bool { return strings.EqualFold(o, s) })
}

// Position is a place in a document. Both count from 1, columns in characters.
type Position struct{ Line, Column int }

// Positions are those of the first and the last character of the n-th statement of a
// document that [Parse] has read; n counts from 0.
func Positions(document string, n int) (first, last Position) {
	from, to := statementAt(document, n)
	return positionOf(document, from), positionOf(document, to-1)
}

// Place is the statement's number in its document, from 0.
func (s *Statement) Place() int { return s.place - 1 }

func positionOf(document string, offset int) Position {
	before := document[:offset]
	line := strings.Count(before, "\n")
	return Position{line + 1, len([]rune(before[strings.LastIndexByte(before, '\n')+1:])) + 1}
}

// statementAt finds where the n-th statement begins and ends.
func statementAt(document string, n int) (from, to int) {
	d := json.NewDecoder(strings.NewReader(document))
	if !enter(d, "Statement") {
		return 0, len(document)
	}
	start := func() int {
		at := int(d.InputOffset())
		return at + len(document[at:]) - len(strings.TrimLeft(document[at:], " \t\r\n:,"))
	}
	from = start()
	if document[from] == '[' {
		if _, err := d.Token(); err != nil {
			return 0, len(document)
		}
		for range n {
			skip(d)
		}
		from = start()
	}
	skip(d)
	return from, int(d.InputOffset())
}

// enter reads an object up to the value of one of its members.
func enter(d *json.Decoder, name string) bool {
	if _, err := d.Token(); err != nil {
		return false
	}
	for d.More() {
		key, err := d.Token()
		if err != nil || key == name {
			return err == nil
		}
		skip(d)
	}
	return false
}

// skip reads one value.
func skip(d *json.Decoder) {
	var value json.RawMessage
	if err := d.Decode(&value); err != nil && err != io.EOF {
		return // Parse has read it
	}
}
