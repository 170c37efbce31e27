package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
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

	place    int // among the document's statements, from 1
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

// errSyntax is IAM's error for anything that is not a policy.
var errSyntax = errors.New("Syntax errors in policy.")

// The names of the policy language are exact; a document with others is refused.
type (
	rawDocument struct {
		Version   *string
		ID        *string `json:"Id"`
		Statement statements
	}
	rawStatement struct {
		SID          string `json:"Sid"`
		Effect       string
		Principal    *principals
		NotPrincipal *principals
		Action       list
		NotAction    list
		Resource     list
		NotResource  list
		Condition    map[string]map[string]scalars
	}
	statements []rawStatement
	list       []string
	scalars    []string
	principals struct{ Principals }
)

// Parse reads a document by the grammar that all kinds of policies share. Its
// error is the sentence that IAM refuses the document with.
func Parse(doc string) (Document, error) {
	var raw rawDocument
	if err := strict([]byte(doc), &raw); err != nil || raw.Statement == nil {
		return Document{}, errSyntax
	}
	d := Document{}
	if raw.ID != nil {
		d.ID = *raw.ID
	}
	if raw.Version != nil {
		d.Version = *raw.Version
		if d.Version != "2012-10-17" && d.Version != "2008-10-17" {
			return Document{}, errSyntax
		}
	}
	for i, r := range raw.Statement {
		s, err := r.statement()
		if err != nil {
			return Document{}, err
		}
		s.place = i + 1
		s.compile(d.Version == "2012-10-17")
		d.Statements = append(d.Statements, s)
	}
	return d, nil
}

func (r rawStatement) statement() (Statement, error) {
	s := Statement{
		SID: r.SID, Allow: r.Effect == "Allow",
		Actions: r.Action, NotActions: r.NotAction,
		Resources: r.Resource, NotResources: r.NotResource,
	}
	both := r.Action != nil && r.NotAction != nil ||
		r.Resource != nil && r.NotResource != nil ||
		r.Principal != nil && r.NotPrincipal != nil
	if both || !s.Allow && r.Effect != "Deny" {
		return s, errSyntax
	}
	if r.Principal != nil {
		s.Principals = &r.Principal.Principals
	}
	if r.NotPrincipal != nil {
		s.NotPrincipals = &r.NotPrincipal.Principals
	}
	for _, op := range slices.Sorted(maps.Keys(r.Condition)) {
		if _, ok := operatorOf(op); !ok {
			return s, errSyntax
		}
		for _, key := range slices.Sorted(maps.Keys(r.Condition[op])) {
			s.Conditions = append(s.Conditions, Condition{op, key, r.Condition[op][key]})
		}
	}
	return s, nil
}

// strict decodes exactly one JSON value, without fields that out does not have.
func strict(b []byte, out any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(out); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errSyntax
	}
	return nil
}

// UnmarshalJSON takes one statement or a list of them.
func (s *statements) UnmarshalJSON(b []byte) error {
	if b[0] != '[' {
		var one rawStatement
		if err := strict(b, &one); err != nil || b[0] != '{' {
			return errSyntax
		}
		*s = statements{one}
		return nil
	}
	type plain statements
	return strict(b, (*plain)(s))
}

// UnmarshalJSON takes one string or a list of them.
func (l *list) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		var one string
		err := json.Unmarshal(b, &one)
		*l = list{one}
		return err
	}
	type plain list
	if err := json.Unmarshal(b, (*plain)(l)); err != nil || *l == nil {
		return errSyntax
	}
	return nil
}

// UnmarshalJSON takes one or several strings, numbers and booleans, which the
// language compares as text.
func (s *scalars) UnmarshalJSON(b []byte) error {
	if b[0] != '[' {
		b = slices.Concat([]byte("["), b, []byte("]"))
	}
	var values []any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&values); err != nil {
		return err
	}
	for _, v := range values {
		switch v := v.(type) {
		case string:
			*s = append(*s, v)
		case bool:
			*s = append(*s, strconv.FormatBool(v))
		case json.Number:
			*s = append(*s, v.String())
		default:
			return errSyntax
		}
	}
	return nil
}

// UnmarshalJSON takes "*" or principals by their kind.
func (p *principals) UnmarshalJSON(b []byte) error {
	if string(b) == `"*"` {
		p.Everyone = true
		return nil
	}
	var kinds struct{ AWS, Service, Federated, CanonicalUser list }
	if err := strict(b, &kinds); err != nil {
		return errSyntax
	}
	p.ByKind = map[string][]string{}
	for kind, values := range map[string]list{
		"AWS": kinds.AWS, "Service": kinds.Service,
		"Federated": kinds.Federated, "CanonicalUser": kinds.CanonicalUser,
	} {
		if values != nil {
			p.ByKind[kind] = values
		}
	}
	return nil
}
