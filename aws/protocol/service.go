// Package protocol is the wire between an AWS client and us: the encodings
// (awsJson 1.0 and 1.1, awsQuery, ec2Query, restJson, restXml, rpcv2Cbor), the
// errors in each of them, and the checks a shape asks for. It knows how a value
// travels; it refuses to know what any operation means.
//
// # Shapes
//
// A shape is a Go type whose struct tags say how it travels. The generated
// packages (aws/ecs, aws/ec2, …) hold nothing else, and the codecs here read the
// tags once per type. Scalars are pointers, nil meaning absent; enums are named
// strings, "" meaning absent; lists are slices, maps are maps with string or
// enum keys, structures are pointers, blobs are []byte, timestamps *time.Time,
// documents any, event streams a receive channel of union structures, streaming blobs
// io.ReadCloser.
//
// The tags of a structure's field:
//
//	aws:"clusterName"       the member's name on the wire, then options:
//	  ,required             must be present
//	  ,flat                 list or map without a wrapping element (query, XML)
//	  ,item=Name            the element name of a list's items (query, XML; "member" if absent)
//	  ,key=K ,value=V       the element names of a map's entries (query, XML; "key" and "value" if absent)
//	  ,in=header|headers|uri|querystring|statusCode   where it travels, if not in the body (REST)
//	  ,payload              the member is the whole body (REST)
//	  ,time=epoch|iso8601|rfc822   the timestamp's format, where it is not the protocol's
//	  ,stream               a streaming blob or an event stream
//	  ,attribute            an attribute of its structure's element (XML)
//	  ,token                an idempotency token
//	query:"TagSpecification"   the ec2Query input name, where it is not aws's name
//	                           with its first letter in upper case
//	min:"1" max:"255"       bounds: of a number, of a string's or blob's length, of a
//	                        list's or map's size
//	pattern:"…"             what a string must match, as the model has it
//	enum:"A|B"              what a string may be
//	sensitive:"true"        the value is not shown in errors
//	itemmin, itemmax, itempattern, itemenum   the same for the strings or numbers in a list
package protocol

import "context"

// Service is one AWS service as its model describes it. Generated packages
// export one named API; nothing changes it.
type Service struct {
	Name           string   // our folder and package name: "ecs", "elbv2"
	ID             string   // the SDKs' service id: "ECS", "Elastic Load Balancing v2"
	SigningName    string   // in SigV4's credential scope: "ecs", "elasticloadbalancing"
	EndpointPrefix string   // "ecs", "api.ecr"
	APIVersion     string   // "2014-11-13"
	Protocols      []string // "json", "query", "ec2", "rest-json", "rest-xml", "smithy-rpc-v2-cbor"; preferred first
	JSONVersion    string   // "1.1" or "1.0"
	TargetPrefix   string   // of X-Amz-Target
	XMLNamespace   string
	Namespace      string // of the shapes' names in CBOR's errors; "" where it is not known
	// QueryCompatible services had the query protocol first: in all others their errors
	// have the query's code too, in a header.
	QueryCompatible bool
	Operations      []Operation // sorted by Name
	Errors          []ErrorShape
}

// Operation is one call of a service. In an untyped operation Input and Bind are
// nil: it has a name and no more, and can only be refused by it.
type Operation struct {
	Name   string
	Method string // HTTP method and path, for REST protocols
	Path   string // "/2015-03-31/functions/{FunctionName}"
	Result string // the wrapping element (awsQuery, "CreateRoleResult") or the outermost one (REST with XML)
	Status int    // HTTP, of an answer that is no error (REST); 0 means 200
	// Input makes a new empty input structure.
	Input func() any
	// Bind finds the operation's method on a service's implementation: a value
	// with a method of the operation's name that takes a context and a pointer
	// to the input and returns a pointer to the output and an error. ok is
	// false when there is no such method.
	Bind func(server any) (h Handler, ok bool)
}

// Streams reports whether the body of a request is a streaming blob: it is read while
// the operation is carried out.
func (o *Operation) Streams() bool {
	if o.Input == nil {
		return false
	}
	_, s := structure(o.Input())
	f := s.payload()
	return f != nil && f.shape.kind == kindBody
}

// Handler carries out one operation. in is what Operation.Input made, filled;
// out is a pointer to the output structure.
type Handler func(ctx context.Context, in any) (out any, err error)

// ErrorShape is an error that a service's model names.
type ErrorShape struct {
	Name   string // the shape: "ClusterNotFoundException"
	Code   string // on the wire, where it is not Name: "NoSuchEntity"
	Status int    // HTTP; 0 means the protocol's default, 400
	Fault  bool   // the server's fault
}
