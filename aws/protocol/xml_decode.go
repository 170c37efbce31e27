package protocol

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"strings"
)

// element is a piece of an XML document. Namespaces and attributes say nothing
// that the shapes need.
type element struct {
	name string
	text strings.Builder
	kids []*element
}

var errXMLSyntax = errors.New("not one element of a bearable size")

// parseXML reads a document and gives its outermost element.
func parseXML(body []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	outside := &element{}
	open := []*element{outside}
	for n := 0; n < maxItems; n++ {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && len(open) == 1 && len(outside.kids) == 1 {
			return outside.kids[0], nil
		}
		if err != nil {
			return nil, err
		}
		top := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			e := &element{name: t.Name.Local}
			top.kids = append(top.kids, e)
			if open = append(open, e); len(open) > maxDepth {
				return nil, errXMLSyntax
			}
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			top.text.Write(t)
		}
	}
	return nil, errXMLSyntax
}

// all gives the children of a name.
func (e *element) all(name string) []*element {
	var found []*element
	for _, kid := range e.kids {
		if kid.name == name {
			found = append(found, kid)
		}
	}
	return found
}

// fill gives what the element holds to v.
func (e *element) fill(v reflect.Value, s *shape, f *field) error {
	v = alloc(v)
	switch s.kind {
	case kindStructure:
		return e.structure(v, s)
	case kindList:
		return fillList(e.all(cmp.Or(f.item, "member")), v, s, f)
	case kindMap:
		return fillMap(e.all("entry"), v, s, f)
	}
	text := e.text.String()
	if s.kind != kindString {
		text = strings.TrimSpace(text)
	}
	if want := setText(text, v, s, cmp.Or(f.time, iso8601)); want != "" {
		return Errorf("MalformedXML", "Invalid value '%s' at '%s': expected %s", text, e.name, want)
	}
	return nil
}

func (e *element) structure(v reflect.Value, s *shape) error {
	for i := range s.fields {
		f := &s.fields[i]
		if f.in != "" || f.shape.kind == kindStream || f.shape.kind == kindDocument {
			continue
		}
		name := f.name
		if f.flat && f.shape.kind == kindList {
			name = cmp.Or(f.item, name)
		}
		found := e.all(name)
		if len(found) == 0 {
			continue
		}
		var err error
		switch fv := v.Field(f.index); {
		case f.flat && f.shape.kind == kindList:
			err = fillList(found, fv, f.shape, f)
		case f.flat && f.shape.kind == kindMap:
			err = fillMap(found, fv, f.shape, f)
		default:
			err = found[0].fill(fv, f.shape, f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func fillList(items []*element, v reflect.Value, s *shape, f *field) error {
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	for i, item := range items {
		if err := item.fill(v.Index(i), s.elem, &field{time: f.time}); err != nil {
			return err
		}
	}
	return nil
}

func fillMap(entries []*element, v reflect.Value, s *shape, f *field) error {
	t := v.Type()
	v.Set(reflect.MakeMap(t))
	for _, entry := range entries {
		keys, values := entry.all(cmp.Or(f.key, "key")), entry.all(cmp.Or(f.value, "value"))
		if len(keys) == 0 {
			return Errorf("MalformedXML", "An entry of a map has no key")
		}
		key, e := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		key.SetString(keys[0].text.String())
		if len(values) > 0 {
			if err := values[0].fill(e, s.elem, &field{}); err != nil {
				return err
			}
		}
		v.SetMapIndex(key, e)
	}
	return nil
}
