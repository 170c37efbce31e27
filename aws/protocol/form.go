package protocol

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// node is one step in the names of a form's parameters: "Tags.member.1.Key=a"
// is four of them.
type node struct {
	value string
	set   bool
	kids  map[string]*node
}

// parseForm reads a form into a tree.
func parseForm(form []byte) (*node, error) {
	root, left := &node{}, maxItems
	for n := 0; len(form) > 0; n++ {
		if n == maxItems {
			return nil, malformed("The request has too many parameters")
		}
		var pair []byte
		pair, form, _ = bytes.Cut(form, []byte("&"))
		if len(pair) == 0 {
			continue
		}
		k, v, _ := bytes.Cut(pair, []byte("="))
		key, err := url.QueryUnescape(string(k))
		if err != nil {
			return nil, malformed("The parameter name %q is not URL encoded", k)
		}
		value, err := url.QueryUnescape(string(v))
		if err != nil {
			return nil, malformed("The value of %s is not URL encoded", key)
		}
		if err := root.put(key, value, &left); err != nil {
			return nil, err
		}
	}
	return root, nil
}

func malformed(format string, args ...any) *Error { return Errorf("MalformedInput", format, args...) }

// put sets a parameter. left is how many nodes the tree may still get: names of many steps
// make many.
func (n *node) put(key, value string, left *int) error {
	depth := 0
	for step := range strings.SplitSeq(key, ".") {
		if depth++; depth > maxDepth {
			return malformed("The parameter %.100s is nested too deeply", key)
		}
		kid := n.kids[step]
		if kid == nil {
			if *left--; *left < 0 {
				return malformed("The request has too many parameters")
			}
			kid = &node{}
			if n.kids == nil {
				n.kids = map[string]*node{}
			}
			n.kids[step] = kid
		}
		n = kid
	}
	n.value, n.set = value, true
	return nil
}

// numbered gives the children called 1, 2, 3 … in order. AWS does not mind gaps.
func (n *node) numbered(path string) ([]*node, error) {
	type numbered struct {
		number int
		node   *node
	}
	all := make([]numbered, 0, len(n.kids))
	for step, kid := range n.kids {
		number, err := strconv.Atoi(step)
		if err != nil || number < 0 {
			return nil, malformed("Key (%s.%s) is not indexed", path, step)
		}
		all = append(all, numbered{number, kid})
	}
	slices.SortFunc(all, func(a, b numbered) int { return cmp.Compare(a.number, b.number) })
	nodes := make([]*node, len(all))
	for i := range all {
		nodes[i] = all[i].node
	}
	return nodes, nil
}

// formDecoder fills shapes from a form. The two query protocols name and number
// the parameters differently.
type formDecoder struct {
	ec2 bool
}

func (d formDecoder) name(f *field) string {
	if d.ec2 {
		return f.query
	}
	if f.shape.kind == kindList && f.flat && f.item != "" {
		return f.item
	}
	return f.name
}

func (d formDecoder) structure(n *node, v reflect.Value, s *shape, path string) error {
	if len(n.kids) == 0 {
		return nil
	}
	for i := range s.fields {
		f := &s.fields[i]
		name := d.name(f)
		kid := n.kids[name]
		if kid == nil || f.shape.kind == kindStream {
			continue
		}
		if path != "" {
			name = path + "." + name
		}
		if err := d.value(kid, v.Field(f.index), f.shape, f, name); err != nil {
			return err
		}
	}
	return nil
}

func (d formDecoder) value(n *node, v reflect.Value, s *shape, f *field, path string) error {
	switch s.kind {
	case kindStructure:
		if n.set && n.value != "" {
			return d.noStructure(n.value, path)
		}
		return d.structure(n, alloc(v), s, path)
	case kindList:
		return d.list(n, v, s, f, path)
	case kindMap:
		return d.mapping(n, v, s, f, path)
	}
	if len(n.kids) > 0 && !n.set {
		return malformed("Start of structure or map found where not expected.")
	}
	return d.scalar(n.value, alloc(v), s, f, path)
}

func (d formDecoder) list(n *node, v reflect.Value, s *shape, f *field, path string) error {
	v.Set(reflect.MakeSlice(v.Type(), 0, len(n.kids)))
	if !d.ec2 && !f.flat {
		item := cmp.Or(f.item, "member")
		if path += "." + item; n.kids[item] == nil {
			return nil
		}
		n = n.kids[item]
	}
	if n.set && n.value != "" {
		return d.noList(n.value, path)
	}
	nodes, err := n.numbered(path)
	if err != nil {
		return err
	}
	v.Set(reflect.MakeSlice(v.Type(), len(nodes), len(nodes)))
	for i, kid := range nodes {
		if err := d.value(kid, v.Index(i), s.elem, &field{time: f.time}, path+"."+strconv.Itoa(i+1)); err != nil {
			return err
		}
	}
	return nil
}

func (d formDecoder) mapping(n *node, v reflect.Value, s *shape, f *field, path string) error {
	t := v.Type()
	v.Set(reflect.MakeMap(t))
	if !d.ec2 && !f.flat {
		if path += ".entry"; n.kids["entry"] == nil {
			return nil
		}
		n = n.kids["entry"]
	}
	nodes, err := n.numbered(path)
	if err != nil {
		return err
	}
	for i, entry := range nodes {
		key, value := entry.kids[cmp.Or(f.key, "key")], entry.kids[cmp.Or(f.value, "value")]
		if key == nil {
			return malformed("%s.%d has no key", path, i+1)
		}
		k, e := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		k.SetString(key.value)
		if value != nil {
			if err := d.value(value, e, s.elem, &field{}, path); err != nil {
				return err
			}
		}
		v.SetMapIndex(k, e)
	}
	return nil
}

func (d formDecoder) scalar(text string, v reflect.Value, s *shape, f *field, path string) error {
	what := setText(text, v, s, cmp.Or(f.time, iso8601))
	switch {
	case what == "":
		return nil
	case d.ec2:
		return d.bad(text, path, what)
	case s.kind == kindTimestamp: // github.com/brendanhay/amazonka/issues/495
		return malformed("timestamp must follow ISO8601")
	case s.kind == kindBoolean: // measured of SES, in github.com/floci-io/floci
		return malformed("boolean must follow xsd1.1 definition")
	}
	return malformed("Invalid value '%s' at '%s': expected %s", text, path, what)
}

// noStructure refuses text where the members of a structure should be, and noList
// text where items should be.
func (d formDecoder) noStructure(value, path string) error {
	if d.ec2 {
		return d.bad(value, path, "a structure")
	}
	return malformed("Unexpected complex element termination")
}

func (d formDecoder) noList(value, path string) error {
	if d.ec2 {
		return d.bad(value, path, "a list")
	}
	return malformed("Unexpected list element termination")
}

// bad is EC2's error for a value of the wrong kind.
func (d formDecoder) bad(value, path, want string) error {
	return Errorf("InvalidParameterValue", "Invalid value '%s' for %s. Expecting %s", value, path, want)
}

// setText sets a scalar from its textual form, as queries, headers and XML have
// it. If the text is none it gives what it should have been.
func setText(text string, v reflect.Value, s *shape, timeFormat string) (want string) {
	switch s.kind {
	case kindString:
		v.SetString(strings.ToValidUTF8(text, "\ufffd"))
	case kindInteger:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return "an integer"
		}
		v.SetInt(n)
	case kindFloat:
		n, err := strconv.ParseFloat(text, v.Type().Bits())
		if err != nil {
			return "a number"
		}
		v.SetFloat(n)
	case kindBoolean:
		switch {
		case strings.EqualFold(text, "true"):
			v.SetBool(true)
		case strings.EqualFold(text, "false"):
			v.SetBool(false)
		default:
			return "a boolean"
		}
	case kindBlob:
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return "Base64"
		}
		v.SetBytes(raw)
	case kindTimestamp:
		t, err := parseTime(text, timeFormat)
		if err != nil {
			return "a timestamp"
		}
		v.Set(reflect.ValueOf(t))
	default:
		return "nothing: the member does not travel here"
	}
	return ""
}
