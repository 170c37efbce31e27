package protocol

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// awsQuery is the protocol of IAM, STS and Elastic Load Balancing: a form goes
// in, XML comes out.
type awsQuery struct{}

func (awsQuery) Decode(r *Request, in any) error {
	form, err := r.form()
	if err != nil {
		return err
	}
	v, s := structure(in)
	return formDecoder{}.structure(form, v, s, "")
}

// form gives the parameters, which a GET has in its URL.
func (r *Request) form() (*node, error) {
	if r.HTTP != nil && r.HTTP.Method == http.MethodGet {
		return parseForm([]byte(r.HTTP.URL.RawQuery))
	}
	return parseForm(r.Body)
}

func (awsQuery) Encode(r *Request, out any, a *Answer) error {
	xmlHeader(r, a, http.StatusOK)
	op := r.Operation
	b := append(a.Body, '<')
	b = append(append(b, op.Name...), "Response"...)
	b = appendNamespace(b, r.Service.XMLNamespace)
	b = append(b, '>')
	if op.Result != "" {
		b = appendOpen(b, op.Result)
	}
	if !isNil(out) {
		v, s := structure(out)
		var err error
		if b, err = (xmlEncoder{}).members(b, v, s); err != nil {
			return err
		}
	}
	if op.Result != "" {
		b = appendClose(b, op.Result)
	}
	b = append(b, "<ResponseMetadata>"...)
	b = appendElement(b, "RequestId", r.ID)
	b = append(b, "</ResponseMetadata></"...)
	b = append(append(b, op.Name...), "Response>\n"...)
	a.Body = b
	return nil
}

func (awsQuery) EncodeError(r *Request, e *Error, a *Answer) {
	xmlHeader(r, a, e.status())
	b := append(a.Body, "<ErrorResponse"...)
	b = appendNamespace(b, r.Service.XMLNamespace)
	b = append(b, "><Error>"...)
	_, code := r.Service.names(e.Code)
	b = appendElement(b, "Type", e.side())
	b = appendElement(b, "Code", code)
	if e.Message != "" { // recorded of CloudWatch's ResourceNotFound
		b = appendElement(b, "Message", e.Message)
	}
	b = appendErrorFields(b, e)
	b = append(b, "</Error>"...)
	b = appendElement(b, "RequestId", r.ID)
	a.Body = append(b, "</ErrorResponse>\n"...)
}

// appendErrorFields writes those further members of an error that are text.
func appendErrorFields(b []byte, e *Error) []byte {
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		if text, ok := e.Fields[name].(string); ok {
			b = appendElement(b, name, text)
		}
	}
	return b
}

// ec2Query is EC2's own kind of query protocol.
type ec2Query struct{}

// envelope are the parameters of a query that are no members of its input.
var envelope = []string{
	"Action", "Version", "AWSAccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "Timestamp", "Expires", "SecurityToken",
}

func (ec2Query) Decode(r *Request, in any) error {
	form, err := r.form()
	if err != nil {
		return err
	}
	v, s := structure(in)
	if err := unknownParameter(form, s); err != nil {
		return err
	}
	return formDecoder{ec2: true}.structure(form, v, s, "")
}

// unknownParameter refuses what the operation does not have, as EC2 alone does.
func unknownParameter(form *node, s *shape) error {
	known := func(name string) bool {
		return slices.Contains(envelope, name) || strings.HasPrefix(name, "X-Amz-") ||
			slices.ContainsFunc(s.fields, func(f field) bool { return f.query == name })
	}
	for _, name := range slices.Sorted(maps.Keys(form.kids)) {
		if !known(name) {
			return Errorf("UnknownParameter", "The parameter %s is not recognized", name)
		}
	}
	return nil
}

func (ec2Query) Encode(r *Request, out any, a *Answer) error {
	xmlHeader(r, a, http.StatusOK)
	name := r.Operation.Name + "Response"
	b := append(append(append(a.Body, xmlProlog...), '<'), name...)
	b = appendNamespace(b, strings.TrimSuffix(r.Service.XMLNamespace, "/")+"/")
	b = append(b, '>')
	b = appendElement(b, "requestId", r.ID)
	if !isNil(out) {
		v, s := structure(out)
		var err error
		if b, err = (xmlEncoder{millis: true}).members(b, v, s); err != nil {
			return err
		}
	}
	a.Body = appendClose(b, name)
	return nil
}

func (ec2Query) EncodeError(r *Request, e *Error, a *Answer) {
	xmlHeader(r, a, e.status())
	b := append(append(a.Body, xmlProlog...), "<Response><Errors><Error>"...)
	_, code := r.Service.names(e.Code)
	b = appendElement(b, "Code", code)
	b = appendElement(b, "Message", e.Message)
	b = append(b, "</Error></Errors>"...)
	b = appendElement(b, "RequestID", r.ID)
	a.Body = append(b, "</Response>"...)
}

const xmlProlog = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

func xmlHeader(r *Request, a *Answer, status int) {
	setHeader(a, "Content-Type", "text/xml;charset=UTF-8")
	setHeader(a, "X-Amzn-Requestid", r.ID)
	a.Status = status
}
