package protocol

import "net/http"

// awsJSON is awsJson 1.0 and 1.1: the operation is named in X-Amz-Target, all
// else is one JSON object.
type awsJSON struct{}

func (awsJSON) Decode(r *Request, in any) error {
	v, s := structure(in)
	return unmarshalJSON(r.Body, v, s, r.Service.mismatches())
}

func (awsJSON) Encode(r *Request, out any, a *Answer) error {
	setHeader(a, "Content-Type", r.Service.jsonType())
	setHeader(a, "X-Amzn-Requestid", r.ID)
	a.Status = http.StatusOK
	if isNil(out) {
		a.Body = append(a.Body, '{', '}')
		return nil
	}
	v, s := structure(out)
	if f := s.eventStream(); f != nil {
		return streamJSON(r, a, v, s, f)
	}
	var err error
	a.Body, err = appendJSONStructure(a.Body, v, s, "")
	return err
}

// EventDetail writes a structure as services have it in the events that they send: as in
// answers, but with all times in ISO 8601, to the millisecond.
func EventDetail(structured any) ([]byte, error) {
	v, s := structure(structured)
	return appendJSONStructure(nil, v, s, milliseconds)
}

func (awsJSON) EncodeError(r *Request, e *Error, a *Answer) {
	setHeader(a, "Content-Type", r.Service.jsonType())
	encodeJSONError(r, e, a)
}

// encodeJSONError is what the JSON protocols' errors have in common.
func encodeJSONError(r *Request, e *Error, a *Answer) {
	name, query := r.Service.names(e.Code)
	setHeader(a, "X-Amzn-Requestid", r.ID)
	if r.Service.QueryCompatible {
		setHeader(a, "X-Amzn-Query-Error", query+";"+e.side())
	}
	a.Status = e.status()
	body, err := appendJSONError(a.Body, e, name)
	if err != nil { // a field that is no JSON: the error still arrives, without its fields
		body, _ = appendJSONError(a.Body, &Error{Message: e.Message}, name)
	}
	a.Body = body
}

// jsonType is the content type, by the service's version of the protocol.
func (s *Service) jsonType() string {
	if s.JSONVersion == "1.0" {
		return "application/x-amz-json-1.0"
	}
	return "application/x-amz-json-1.1"
}

// setHeader sets a header whose name is in canonical form.
func setHeader(a *Answer, name, value string) { a.Header[name] = []string{value} }
