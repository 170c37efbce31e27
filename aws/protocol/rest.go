package protocol

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
)

// format is the encoding of a REST protocol's bodies.
type format interface {
	decode(body []byte, v reflect.Value, s *shape) error
	// encode appends v as the whole body; name is that of the outermost element.
	encode(b []byte, v reflect.Value, s *shape, name string) ([]byte, error)
	contentType() string
	requestID() string // the header
}

// decodeREST fills an input from the parts of a request.
func decodeREST(r *Request, in any, body format) error {
	v, s := structure(in)
	for i := range s.fields {
		f := &s.fields[i]
		if f.payload || f.in == "" || f.in == "statusCode" {
			continue
		}
		if err := r.bind(v.Field(f.index), f); err != nil {
			return err
		}
	}
	if f := s.payload(); f != nil && f.shape.kind == kindBody {
		if r.Stream != nil {
			v.Field(f.index).Set(reflect.ValueOf(r.Stream))
		}
		return nil
	} else if f != nil {
		return decodePayload(r.Body, v.Field(f.index), f, body)
	}
	if len(r.Body) == 0 {
		return nil
	}
	return body.decode(r.Body, v, s)
}

// payload gives the member that is the whole body, or nil.
func (s *shape) payload() *field {
	for i := range s.fields {
		if s.fields[i].payload {
			return &s.fields[i]
		}
	}
	return nil
}

func decodePayload(text []byte, v reflect.Value, f *field, body format) error {
	switch f.shape.kind {
	case kindBlob:
		if len(text) > 0 {
			v.SetBytes(append([]byte(nil), text...))
		}
		return nil
	case kindString:
		if len(text) > 0 {
			alloc(v).SetString(string(text))
		}
		return nil
	}
	if len(text) == 0 {
		return nil
	}
	return body.decode(text, alloc(v), f.shape)
}

// bind fills a member from outside the body.
func (r *Request) bind(v reflect.Value, f *field) error {
	switch f.in {
	case "uri":
		if text, ok := r.Labels[f.name]; ok {
			return bindText(text, v, f.shape, f, iso8601)
		}
	case "header":
		values := r.HTTP.Header.Values(f.name)
		if len(values) == 0 {
			return nil
		}
		if f.shape.kind == kindList {
			return bindList(strings.Split(strings.Join(values, ","), ","), v, f, rfc822)
		}
		return bindText(values[0], v, f.shape, f, rfc822)
	case "headers":
		return r.bindHeaders(v, f)
	case "querystring":
		return r.bindQuery(v, f)
	}
	return nil
}

func bindText(text string, v reflect.Value, s *shape, f *field, times string) error {
	if want := setText(text, alloc(v), s, cmp.Or(f.time, times)); want != "" {
		return serialization("Invalid value '%s' for %s: expected %s", text, f.name, want)
	}
	return nil
}

func bindList(texts []string, v reflect.Value, f *field, times string) error {
	v.Set(reflect.MakeSlice(v.Type(), len(texts), len(texts)))
	for i, text := range texts {
		if err := bindText(strings.TrimSpace(text), v.Index(i), f.shape.elem, f, times); err != nil {
			return err
		}
	}
	return nil
}

// bindHeaders takes all headers with a prefix.
func (r *Request) bindHeaders(v reflect.Value, f *field) error {
	for name, values := range r.HTTP.Header {
		if len(name) <= len(f.name) || !strings.EqualFold(name[:len(f.name)], f.name) {
			continue
		}
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		}
		v.SetMapIndex(reflect.ValueOf(strings.ToLower(name[len(f.name):])), reflect.ValueOf(values[0]))
	}
	return nil
}

func (r *Request) bindQuery(v reflect.Value, f *field) error {
	q := r.HTTP.URL.Query()
	switch {
	case f.shape.kind == kindMap:
		return r.bindQueryMap(v, f)
	case !q.Has(f.name):
		return nil
	case f.shape.kind == kindList:
		return bindList(q[f.name], v, f, iso8601)
	}
	return bindText(q.Get(f.name), v, f.shape, f, iso8601)
}

// bindQueryMap takes the parameters that no other member takes.
func (r *Request) bindQueryMap(v reflect.Value, f *field) error {
	q := r.HTTP.URL.Query()
	if len(q) == 0 {
		return nil
	}
	v.Set(reflect.MakeMap(v.Type()))
	for name, values := range q {
		e := reflect.New(v.Type().Elem()).Elem()
		if f.shape.elem.kind == kindList {
			e.Set(reflect.ValueOf(values))
		} else {
			e.SetString(values[0])
		}
		v.SetMapIndex(reflect.ValueOf(name), e)
	}
	return nil
}

// encodeREST writes an output as the parts of an answer.
func encodeREST(r *Request, out any, a *Answer, body format) error {
	setHeader(a, body.requestID(), r.ID)
	a.Status = cmp.Or(r.Operation.Status, http.StatusOK)
	if isNil(out) {
		return nil
	}
	v, s := structure(out)
	inBody := 0
	for i := range s.fields {
		f := &s.fields[i]
		switch fv := v.Field(f.index); {
		case f.in == "":
			inBody++
		case !absent(fv):
			if err := bindAnswer(a, fv, f); err != nil {
				return err
			}
		}
	}
	var err error
	if f := s.payload(); f != nil {
		return encodePayload(a, v.Field(f.index), f, body)
	}
	if inBody > 0 {
		setHeader(a, "Content-Type", body.contentType())
		a.Body, err = body.encode(a.Body, v, s, cmp.Or(r.Operation.Result, r.Operation.Name+"Response"))
	}
	return err
}

// bindAnswer puts a member into the answer's headers or status.
func bindAnswer(a *Answer, v reflect.Value, f *field) error {
	v = deref(v)
	switch f.in {
	case "statusCode":
		a.Status = int(v.Int())
	case "headers":
		for _, key := range sortedKeys(v) {
			a.Header[strings.ToLower(f.name)+key.String()] = []string{v.MapIndex(key).String()} // names in lower case, as S3 has them
		}
	case "header":
		if f.shape.kind != kindList {
			text, err := appendText(nil, v, f.shape, cmp.Or(f.time, rfc822))
			a.Header.Set(f.name, string(text))
			return err
		}
		var all []byte
		for i := range v.Len() {
			if i > 0 {
				all = append(all, ", "...)
			}
			var err error
			if all, err = appendText(all, v.Index(i), f.shape.elem, cmp.Or(f.time, rfc822)); err != nil {
				return err
			}
		}
		a.Header.Set(f.name, string(all))
	}
	return nil
}

func encodePayload(a *Answer, v reflect.Value, f *field, body format) error {
	if absent(v) {
		return nil
	}
	v = deref(v)
	var err error
	switch f.shape.kind {
	case kindBody:
		defaultType(a, "application/octet-stream")
		body := v.Interface().(io.ReadCloser)
		a.Events = func(_ context.Context, w http.ResponseWriter) error {
			_, err := io.Copy(w, body)
			return errors.Join(err, body.Close())
		}
	case kindBlob:
		defaultType(a, "application/octet-stream")
		a.Body = append(a.Body, v.Bytes()...)
	case kindString:
		defaultType(a, "text/plain")
		a.Body = append(a.Body, v.String()...)
	default:
		setHeader(a, "Content-Type", body.contentType())
		a.Body, err = body.encode(a.Body, v, f.shape, f.name)
	}
	return err
}

// defaultType sets a content type where no member did.
func defaultType(a *Answer, value string) {
	if a.Header.Get("Content-Type") == "" {
		setHeader(a, "Content-Type", value)
	}
}

// restJSON is REST with JSON bodies.
type restJSON struct{}

func (restJSON) Decode(r *Request, in any) error { return decodeREST(r, in, jsonFormat{}) }

func (restJSON) Encode(r *Request, out any, a *Answer) error {
	return encodeREST(r, out, a, jsonFormat{})
}

func (restJSON) EncodeError(r *Request, e *Error, a *Answer) {
	name, _ := r.Service.names(e.Code)
	setHeader(a, "Content-Type", jsonFormat{}.contentType())
	setHeader(a, "X-Amzn-Errortype", name)
	encodeJSONError(r, e, a)
}

type jsonFormat struct{}

func (jsonFormat) contentType() string { return "application/json" }

func (jsonFormat) requestID() string { return "X-Amzn-Requestid" }

func (jsonFormat) decode(body []byte, v reflect.Value, s *shape) error {
	return unmarshalJSON(body, v, s, newerWords{})
}

func (jsonFormat) encode(b []byte, v reflect.Value, s *shape, _ string) ([]byte, error) {
	return appendJSON(b, v, s, "")
}

// restXML is REST with XML bodies.
type restXML struct{}

func (restXML) Decode(r *Request, in any) error { return decodeREST(r, in, xmlFormat{r.Service}) }

func (restXML) Encode(r *Request, out any, a *Answer) error {
	return encodeREST(r, out, a, xmlFormat{r.Service})
}

func (restXML) EncodeError(r *Request, e *Error, a *Answer) {
	setHeader(a, "X-Amz-Request-Id", r.ID)
	if r.Service.Name != "s3" {
		awsQuery{}.EncodeError(r, e, a)
		return
	}
	xmlHeader(r, a, e.status())
	_, code := r.Service.names(e.Code)
	b := append(append(a.Body, xmlProlog...), "<Error>"...)
	b = appendElement(b, "Code", code)
	b = appendElement(b, "Message", e.Message)
	b = appendErrorFields(b, e)
	b = appendElement(b, "RequestId", r.ID)
	a.Body = append(b, "</Error>"...)
}

type xmlFormat struct{ service *Service }

func (xmlFormat) contentType() string { return "application/xml" }

func (xmlFormat) requestID() string { return "X-Amz-Request-Id" }

func (xmlFormat) decode(body []byte, v reflect.Value, s *shape) error {
	root, err := parseXML(body)
	if err != nil {
		return Errorf("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	return root.fill(v, s, &field{})
}

func (x xmlFormat) encode(b []byte, v reflect.Value, s *shape, name string) ([]byte, error) {
	b = append(append(append(b, xmlProlog...), '<'), name...)
	b = append(appendNamespace(b, x.service.XMLNamespace), '>')
	e := xmlEncoder{millis: x.service.Name == "s3"}
	var err error
	if f := s.byName[name]; f != nil && f.in == "" && len(s.fields) == 1 { // S3's LocationConstraint
		if fv := v.Field(f.index); !absent(fv) {
			b, err = e.scalar(b, deref(fv), f.shape, f.time)
		}
	} else {
		b, err = e.members(b, v, s)
	}
	return appendClose(b, name), err
}
