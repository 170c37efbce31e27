package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A fault is why a text is not a document, by the grammar. As an error it is the
// sentence of identity-based policies; trust policies have a sentence for each kind.
type fault struct {
	notJSON bool
	unknown string // a field that there is not
	missing string // a field that there must be
}

func (*fault) Error() string { return "Syntax errors in policy." }

var (
	errSyntax error = &fault{}
	errLegacy       = errors.New("The policy failed legacy parsing")
)

// Parse reads a document by the grammar that all kinds of policies share, to evaluate
// it. Its error is the sentence that IAM refuses the document with. More rules hold
// when a document is written: those of [ParseManaged], [ParseInline], [ParseTrust].
func Parse(doc string) (Document, error) {
	d, err := decode(doc)
	if err == nil && d.misspelt() {
		err = errLegacy
	}
	if err != nil {
		return Document{}, err
	}
	return d, nil
}

// decode is Parse that lets effects in another case pass.
func decode(doc string) (Document, error) {
	if !json.Valid([]byte(doc)) {
		return Document{}, &fault{notJSON: true}
	}
	top, err := fields([]byte(doc), "Version", "Id", "Statement")
	if err != nil {
		return Document{}, err
	}
	var d Document
	if d.Version, err = text(top, "Version"); err != nil {
		return d, err
	}
	if d.ID, err = text(top, "Id"); err != nil {
		return d, err
	}
	_, given := top["Version"]
	if given && d.Version != "2012-10-17" && d.Version != "2008-10-17" {
		return d, errSyntax
	}
	statements, err := oneOrSeveral(top["Statement"])
	if err != nil {
		return d, err
	}
	for i, b := range statements {
		s, err := statement(b)
		if err != nil {
			return d, err
		}
		s.place = i + 1
		s.compile(d.Version == "2012-10-17")
		d.Statements = append(d.Statements, s)
	}
	return d, nil
}

func (d Document) misspelt() bool {
	return slices.ContainsFunc(d.Statements, func(s Statement) bool { return s.misspelt })
}

// fields takes an object apart. The names of the policy language are exact; an
// object with others, or with one twice, is refused. No names allow any.
func fields(b []byte, names ...string) (map[string]json.RawMessage, error) {
	if len(b) == 0 || bytes.TrimLeft(b, " \t\r\n")[0] != '{' {
		return nil, errSyntax
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil {
		return nil, errSyntax
	}
	found := map[string]json.RawMessage{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, errSyntax
		}
		name, _ := key.(string)
		if len(names) > 0 && !slices.Contains(names, name) {
			return nil, &fault{unknown: name}
		}
		var value json.RawMessage
		if _, twice := found[name]; twice || d.Decode(&value) != nil {
			return nil, errSyntax
		}
		found[name] = value
	}
	return found, nil
}

// oneOrSeveral gives the statements of a document.
func oneOrSeveral(b json.RawMessage) ([]json.RawMessage, error) {
	switch {
	case b == nil:
		return nil, &fault{missing: "Statement"}
	case b[0] == '{':
		return []json.RawMessage{b}, nil
	}
	var several []json.RawMessage
	if b[0] != '[' || json.Unmarshal(b, &several) != nil {
		return nil, errSyntax
	}
	return several, nil
}

func statement(b json.RawMessage) (s Statement, err error) {
	all, err := fields(b, "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
	if err != nil {
		return s, err
	}
	if s.SID, err = text(all, "Sid"); err != nil {
		return s, err
	}
	if err := s.effect(all); err != nil {
		return s, err
	}
	for name, list := range map[string]*[]string{
		"Action": &s.Actions, "NotAction": &s.NotActions, "Resource": &s.Resources, "NotResource": &s.NotResources,
	} {
		if *list, err = texts(all[name]); err != nil {
			return s, err
		}
	}
	if s.Principals, err = principals(all["Principal"]); err != nil {
		return s, err
	}
	if s.NotPrincipals, err = principals(all["NotPrincipal"]); err != nil {
		return s, err
	}
	for _, name := range []string{"Action", "Resource", "Principal"} {
		if all[name] != nil && all["Not"+name] != nil {
			return s, errSyntax
		}
	}
	s.Conditions, err = conditions(all["Condition"])
	return s, err
}

func (s *Statement) effect(all map[string]json.RawMessage) error {
	if all["Effect"] == nil {
		return &fault{missing: "Effect"}
	}
	effect, err := text(all, "Effect")
	s.Allow = strings.EqualFold(effect, "Allow")
	if err != nil || !s.Allow && !strings.EqualFold(effect, "Deny") {
		return errSyntax
	}
	s.misspelt = effect != "Allow" && effect != "Deny"
	return nil
}

// text is the text of a field, empty if it is absent.
func text(all map[string]json.RawMessage, name string) (s string, err error) {
	b := all[name]
	if b == nil {
		return "", nil
	}
	if b[0] != '"' || json.Unmarshal(b, &s) != nil {
		return "", errSyntax
	}
	return s, nil
}

// texts takes one text or a list of them. A null in a list is nothing.
func texts(b json.RawMessage) ([]string, error) {
	if b == nil {
		return nil, nil
	}
	if b[0] == '"' {
		b = slices.Concat([]byte("["), b, []byte("]"))
	}
	var all []*string
	if b[0] != '[' || json.Unmarshal(b, &all) != nil {
		return nil, errSyntax
	}
	list := make([]string, 0, len(all))
	for _, s := range all {
		if s != nil {
			list = append(list, *s)
		}
	}
	return list, nil
}

// conditions takes the conditions of a statement. What no operator is named does no
// harm while there is nothing in it.
func conditions(b json.RawMessage) (all []Condition, err error) {
	if b == nil {
		return nil, nil
	}
	operators, err := fields(b)
	if err != nil {
		return nil, err
	}
	for _, op := range sortedKeys(operators) {
		keys, err := fields(operators[op])
		if err != nil {
			return nil, err
		}
		if _, known := operatorOf(op); !known && len(keys) > 0 {
			return nil, errSyntax
		}
		for _, key := range sortedKeys(keys) {
			values, err := scalars(keys[key])
			if err != nil {
				return nil, err
			}
			all = append(all, Condition{op, key, values})
		}
	}
	return all, nil
}

// scalars takes one or several texts, numbers and booleans, which the language
// compares as text.
func scalars(b json.RawMessage) ([]string, error) {
	if b[0] != '[' {
		b = slices.Concat([]byte("["), b, []byte("]"))
	}
	var values []any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&values); err != nil {
		return nil, errSyntax
	}
	var all []string
	for _, v := range values {
		switch v := v.(type) {
		case string:
			all = append(all, v)
		case bool:
			all = append(all, strconv.FormatBool(v))
		case json.Number:
			all = append(all, v.String())
		default:
			return nil, errSyntax
		}
	}
	return all, nil
}

// principals takes "*" or principals by their kind.
func principals(b json.RawMessage) (*Principals, error) {
	switch {
	case b == nil:
		return nil, nil
	case string(b) == `"*"`:
		return &Principals{Everyone: true}, nil
	}
	kinds, err := fields(b, "AWS", "Service", "Federated", "CanonicalUser")
	if err != nil {
		return nil, err
	}
	p := &Principals{ByKind: map[string][]string{}}
	for kind, values := range kinds {
		if p.ByKind[kind], err = texts(values); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
