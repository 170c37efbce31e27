package policy

import (
	"strconv"
	"strings"
)

// Document is a policy, as it was written. [Parse] makes it; nothing changes it.
type Document struct {
	Version    string // "2012-10-17", "2008-10-17", or empty
	ID         string
	Statements []Statement
}

// Statement is one rule of a document, as it was written. Of each pair (Actions and NotActions,
// …) at most one is not nil.
type Statement struct {
	SID                     string
	Allow                   bool // false denies
	Principals              *Principals
	NotPrincipals           *Principals
	Actions, NotActions     []string
	Resources, NotResources []string
	Conditions              []Condition // all must hold

	place    int  // among the document's statements, from 1
	misspelt bool // "allow" or "DENY": such an effect is read, and refused later
	compiled compiled
}

// compiled is a statement prepared for matching.
type compiled struct {
	actions, notActions     []pattern // in lower case
	resources, notResources []pattern
	conditions              []condition
}

// compile prepares a statement for matching.
func (s *Statement) compile(hasVariables bool) {
	c := compiled{
		actions: compileAll(lower(s.Actions), false), notActions: compileAll(lower(s.NotActions), false),
		resources: compileAll(s.Resources, hasVariables), notResources: compileAll(s.NotResources, hasVariables),
	}
	for _, condition := range s.Conditions {
		c.conditions = append(c.conditions, condition.compile(hasVariables))
	}
	s.compiled = c
}

func lower(texts []string) []string {
	if texts == nil {
		return nil
	}
	all := make([]string, len(texts))
	for i, s := range texts {
		all[i] = strings.ToLower(s)
	}
	return all
}

// Name is what explanations call the statement: its Sid or, without one, its
// place in the document: "statement 2".
func (s *Statement) Name() string {
	if s.SID != "" {
		return s.SID
	}
	return "statement " + strconv.Itoa(s.place)
}

// Principals are the principals that a statement applies to.
type Principals struct {
	Everyone bool // "*"
	// By kind, "AWS", "Service", "Federated" or "CanonicalUser".
	ByKind map[string][]string
}

// Condition compares one key of a request with values: {"StringLike":
// {"aws:username": ["a*", "b*"]}}.
type Condition struct {
	Operator string
	Key      string
	Values   []string
}
