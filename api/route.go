package api

import (
	"bytes"
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"fargo/aws/protocol"
)

// operation is one operation of a mounted service.
type operation struct {
	*protocol.Operation
	service *protocol.Service
	maxBody int64
	streams bool             // the body is read by the handler
	name    string           // "ecs:RunTask"
	handler protocol.Handler // nil if the server has no such method
	rate    *Rate            // nil for none
}

// router finds the operation that a request names.
type router struct {
	maxBody  int64
	targets  map[string]*service // by the prefix in X-Amz-Target, also CBOR's service name
	queries  map[query]*service
	versions map[string]*service // by version alone, for requests without a signature
	rest     []*service
	signing  map[string]bool
}

// query identifies a service that has a query protocol.
type query struct{ signingName, version string }

type service struct {
	*protocol.Service
	operations map[string]*operation
	paths      []path // of a REST service, the most particular first
	locate     func(*http.Request) (u *url.URL, ours bool)
	checkBody  func(operation string, h http.Header, body []byte) error
}

// find gives the URL by which a request's operation is found.
func (s *service) find(r *http.Request) (u *url.URL, ours bool) {
	if s.locate == nil {
		return r.URL, false
	}
	return s.locate(r)
}

type path struct {
	protocol.Template
	*operation
}

func newRouter(mounted []Mounted) *router {
	rt := &router{maxBody: defaultMaxBody, targets: map[string]*service{}, queries: map[query]*service{}, versions: map[string]*service{}, signing: map[string]bool{}}
	for _, m := range mounted {
		rt.mount(m)
	}
	return rt
}

func (rt *router) mount(m Mounted) {
	s := &service{Service: m.Service, operations: map[string]*operation{}, locate: m.Locate, checkBody: m.CheckBody}
	shared := sharedPaths(m.Service)
	limit := cmp.Or(m.MaxBody, defaultMaxBody)
	rt.maxBody = max(rt.maxBody, limit)
	for i := range m.Service.Operations {
		op := &operation{Operation: &m.Service.Operations[i], service: m.Service, maxBody: limit}
		op.name = m.Service.Name + ":" + op.Name
		op.streams = op.Streams()
		op.rate = rateOf(m.Rates, op.Name)
		if op.Bind != nil {
			h, _ := op.Bind(m.Server)
			op.handler = prechecked(m.Server, h)
		}
		s.operations[op.Name] = op
		template := protocol.ParseTemplate(op.Path)
		if shared[op.Method+op.Path] > 1 && op.Input != nil {
			template = template.Requiring(op.Input())
		}
		s.paths = append(s.paths, path{template, op})
	}
	rt.signing[s.SigningName] = true
	if s.TargetPrefix != "" {
		rt.targets[s.TargetPrefix] = s
	}
	if s.Speaks("query") || s.Speaks("ec2") {
		rt.queries[query{s.SigningName, s.APIVersion}] = s
		rt.versions[s.APIVersion] = s
	}
	if s.Speaks("rest-json") || s.Speaks("rest-xml") {
		slices.SortStableFunc(s.paths, func(a, b path) int {
			switch {
			case a.Before(b.Template):
				return -1
			case b.Before(a.Template), a.handler == nil && b.handler != nil: // deprecated ones share paths with others
				return 1
			case a.handler != nil && b.handler == nil:
				return -1
			}
			return 0
		})
		rt.rest = append(rt.rest, s)
	}
}

// sharedPaths counts the operations of each method and path.
func sharedPaths(s *protocol.Service) map[string]int {
	n := map[string]int{}
	for i := range s.Operations {
		n[s.Operations[i].Method+s.Operations[i].Path]++
	}
	return n
}

// parse reads the body and finds the operation. A REST service's is found first: the
// handler may be who reads the body.
func (x *exchange) parse() error {
	find := x.find
	if s := x.restService(); s != nil {
		found, proto, err := x.findPathOf(s)
		if err == nil && found.streams {
			return x.found(found, proto)
		}
		find = func() (*operation, string, error) {
			if err == nil && s.checkBody != nil {
				err = s.checkBody(found.Name, x.http.Header, x.raw)
			}
			return found, proto, err
		}
	}
	if err := x.read(); err != nil {
		return err
	}
	found, proto, err := find()
	if err != nil {
		return err
	}
	return x.found(found, proto)
}

// found notes which operation it is.
func (x *exchange) found(found *operation, proto string) error {
	x.operation, x.codec = found, protocol.For(proto)
	x.request.Service, x.request.Operation = found.service, found.Operation
	x.call.Service, x.call.Operation, x.call.Size = found.service.Name, found.Name, len(x.raw)
	if int64(len(x.request.Body)) > found.maxBody {
		return errTooLarge
	}
	return nil
}

// find looks where each protocol names the operation.
func (x *exchange) find() (*operation, string, error) {
	if target := x.http.Header.Get("X-Amz-Target"); target != "" {
		return x.findTarget(target, "json")
	}
	if x.http.Header.Get("Smithy-Protocol") == "rpc-v2-cbor" {
		parts := strings.Split(x.http.URL.Path, "/") // /service/X/operation/Y
		if len(parts) != 5 || parts[1] != "service" || parts[3] != "operation" {
			return nil, "", unknownOperation
		}
		return x.findTarget(parts[2]+"."+parts[4], "smithy-rpc-v2-cbor")
	}
	if form := x.form(); form != nil {
		return x.findAction(formValue(form, "Action"), formValue(form, "Version"))
	}
	return x.findPath()
}

var unknownOperation = protocol.Errorf("UnknownOperationException", "The requested operation is not recognized by the service.")

func (x *exchange) findTarget(target, proto string) (*operation, string, error) {
	prefix, name := "", target
	if dot := strings.LastIndexByte(target, '.'); dot >= 0 {
		prefix, name = target[:dot], target[dot+1:]
	}
	s := x.routes.targets[prefix]
	if s == nil || !s.Speaks(proto) {
		return nil, "", x.notServed(prefix)
	}
	return x.findName(s, name, proto, unknownOperation)
}

// findName looks up an operation. The service is known from here on, even when
// the operation is not.
func (x *exchange) findName(s *service, name, proto string, unknown error) (*operation, string, error) {
	x.codec, x.request.Service, x.call.Service = protocol.For(proto), s.Service, s.Name
	if op := s.operations[name]; op != nil {
		return op, proto, nil
	}
	return nil, "", unknown
}

// notServed refuses a service that is not mounted, by the name the client signed
// for or else the one it asked by.
func (x *exchange) notServed(name string) error {
	if x.sig != nil && !x.routes.signing[x.sig.Service] {
		name = x.sig.Service
	}
	return notImplemented("The service %s is not implemented by Fargo.", name)
}

func (x *exchange) notServedVersion(version string) error {
	if x.sig == nil {
		return notImplemented("No service with an API of version '%s' is implemented by Fargo.", version)
	}
	return notImplemented("The service %s with its API of version '%s' is not implemented by Fargo.", x.sig.Service, version)
}

// form gives the parameters of a query, or nil if the request is none.
func (x *exchange) form() []byte {
	if x.http.Method == http.MethodGet {
		if query := x.http.URL.RawQuery; strings.HasPrefix(query, "Action=") || strings.Contains(query, "&Action=") {
			return []byte(query)
		}
		return nil
	}
	if strings.HasPrefix(x.http.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return x.request.Body
	}
	return nil
}

// formValue gives the first value of a parameter.
func formValue(form []byte, name string) string {
	for len(form) > 0 {
		var pair []byte
		pair, form, _ = bytes.Cut(form, []byte("&"))
		if k, v, _ := bytes.Cut(pair, []byte("=")); string(k) == name {
			value, _ := url.QueryUnescape(string(v))
			return value
		}
	}
	return ""
}

func (x *exchange) findAction(action, version string) (*operation, string, error) {
	var s *service
	if x.sig != nil {
		s = x.routes.queries[query{x.sig.Service, version}]
	} else {
		s = x.routes.versions[version]
	}
	if s == nil {
		return nil, "", x.notServedVersion(version)
	}
	if s.Speaks("ec2") {
		return x.findName(s, action, "ec2", protocol.Errorf("InvalidAction", "The action %s is not valid for this web service.", action))
	}
	return x.findName(s, action, "query", protocol.Errorf("InvalidAction", "Could not find operation %s for version %s", action, version))
}

// restService is the REST service that a request is for by its signature or its host;
// nil if there is none.
func (x *exchange) restService() *service {
	for _, s := range x.routes.rest {
		if x.sig != nil && x.sig.Service == s.SigningName {
			return s
		}
		if _, ours := s.find(x.http); ours && (x.sig == nil || !x.routes.signing[x.sig.Service]) {
			return s
		}
	}
	return nil
}

// findPathOf finds the operation of a REST service by the path.
func (x *exchange) findPathOf(s *service) (*operation, string, error) {
	proto := "rest-json"
	if s.Speaks("rest-xml") {
		proto = "rest-xml"
	}
	u, _ := s.find(x.http)
	for _, p := range s.paths {
		if p.Method != x.http.Method || !p.HasHeaders(x.http.Header) {
			continue
		}
		if labels, ok := p.Match(u); ok {
			x.request.Labels = labels
			return x.findName(s, p.Name, proto, unknownOperation)
		}
	}
	return x.findName(s, "", proto, unknownOperation)
}

// findPath finds the operation of a request that nothing but its path says anything
// about.
func (x *exchange) findPath() (*operation, string, error) {
	if x.sig != nil {
		return nil, "", x.notServed(x.sig.Service)
	}
	for _, s := range x.routes.rest {
		if s.locate != nil {
			continue // its paths are those of everything
		}
		if found, proto, err := x.findPathOf(s); err == nil {
			return found, proto, nil
		}
		x.codec, x.request.Service, x.call.Service = nil, nil, ""
	}
	return nil, "", protocol.Errorf("UnknownOperationException", "The request names no operation.").WithStatus(http.StatusNotFound)
}

// guessCodec finds a codec for a request that names no operation we know.
func (x *exchange) guessCodec() {
	name := "json"
	switch {
	case x.http.Header.Get("X-Amz-Target") != "":
	case x.http.Header.Get("Smithy-Protocol") != "":
		name = "smithy-rpc-v2-cbor"
	case x.sig != nil && x.sig.Service == "ec2":
		name = "ec2"
	case x.sig != nil && (x.sig.Service == "s3" || x.sig.Service == "route53" || x.sig.Service == "cloudfront"):
		name = "rest-xml"
	case x.form() != nil:
		name = "query"
	}
	s := &protocol.Service{JSONVersion: "1.1"}
	if strings.HasSuffix(x.http.Header.Get("Content-Type"), "json-1.0") {
		s.JSONVersion = "1.0"
	}
	x.codec, x.request.Service = protocol.For(name), s
}
