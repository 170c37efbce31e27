// Package forward sends requests for services that Fargo does not have to something that
// has them, an emulator or AWS itself, and knows what they ask IAM for. Who calls and
// whether they may is decided before, by package api. It refuses to know what the answers
// mean, but for those of SQS and SNS to what EventBridge and alarms send there.
package forward

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"fargo/api"
	"fargo/aws/protocol"
	"fargo/aws/sigv4"
)

// known are the services that can be forwarded.
var known = map[string]*protocol.Service{
	"sqs":      {Name: "sqs", ID: "SQS", SigningName: "sqs", APIVersion: "2012-11-05", Protocols: []string{"json", "query"}, JSONVersion: "1.0", TargetPrefix: "AmazonSQS"},
	"sns":      {Name: "sns", ID: "SNS", SigningName: "sns", APIVersion: "2010-03-31", Protocols: []string{"query"}},
	"dynamodb": {Name: "dynamodb", ID: "DynamoDB", SigningName: "dynamodb", APIVersion: "2012-08-10", Protocols: []string{"json"}, JSONVersion: "1.0", TargetPrefix: "DynamoDB_20120810"},
}

// timeout is the longest that an answer's header may take. SQS waits for messages for up
// to 20 seconds.
const timeout = time.Minute

// Services are those that are forwarded. A nil *Services has none.
type Services struct {
	urls        map[string]*url.URL // by service
	credentials sigv4.Credentials
	client      *http.Client
}

// New makes the services of mappings such as "sqs,sns=http://127.0.0.1:4566": names,
// commas between them, "=", and the URL that their requests go to, signed with these
// credentials.
func New(mappings []string, c sigv4.Credentials) (*Services, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout, transport.DisableCompression, transport.Proxy = timeout, true, nil
	s := &Services{urls: map[string]*url.URL{}, credentials: c, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	for _, m := range mappings {
		names, target, ok := strings.Cut(m, "=")
		u, err := url.Parse(target)
		if !ok || err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" {
			return nil, fmt.Errorf("%q is not SERVICE,…=URL", m)
		}
		for name := range strings.SplitSeq(names, ",") {
			switch {
			case known[name] == nil:
				return nil, fmt.Errorf("%q cannot be forwarded: sqs, sns and dynamodb can", name)
			case s.urls[name] != nil:
				return nil, fmt.Errorf("%s is given twice", name)
			}
			s.urls[name] = u
		}
	}
	return s, nil
}

// Forwards are the services as package api has them.
func (s *Services) Forwards() map[string]api.Forward {
	all := map[string]api.Forward{}
	if s == nil {
		return all
	}
	for name := range s.urls {
		all[name] = api.Forward{Service: known[name], Send: func(r *http.Request, region string, body []byte) (*http.Response, error) {
			return s.send(r, name, region, body)
		}}
	}
	return all
}

// ofSignature are the headers that belong to the client's signature.
var ofSignature = []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256", "Connection", "Accept-Encoding"}

// send sends a client's request on.
func (s *Services) send(r *http.Request, service, region string, body []byte) (*http.Response, error) {
	to := *s.urls[service]
	to.Path = cmp.Or(strings.TrimSuffix(to.Path, "/")+r.URL.Path, "/")
	if r.Method == http.MethodGet { // otherwise what the body says is what was authorized
		query := r.URL.Query()
		for name := range query {
			if strings.HasPrefix(strings.ToLower(name), "x-amz-") {
				query.Del(name) // of a presigned URL
			}
		}
		to.RawQuery = query.Encode()
	}
	out, err := http.NewRequestWithContext(r.Context(), r.Method, to.String(), bytes.NewReader(slices.Clone(body)))
	if err != nil {
		return nil, fmt.Errorf("forward to %s: %w", service, err)
	}
	out.Header = r.Header.Clone()
	for _, name := range ofSignature {
		out.Header.Del(name)
	}
	return s.do(out, service, region, body)
}

// do signs a request and sends it.
func (s *Services) do(r *http.Request, service, region string, body []byte) (*http.Response, error) {
	sigv4.Sign(r, body, s.credentials, region, service, time.Now())
	answer, err := s.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("forward to %s: %w", service, err)
	}
	return answer, nil
}

// ErrNotForwarded says that a service is not forwarded.
var ErrNotForwarded = errors.New("the service is not forwarded")

// call makes a call of a service with the JSON protocol.
func (s *Services) call(ctx context.Context, service, region, operation string, body []byte) (*http.Response, error) {
	if s == nil || s.urls[service] == nil {
		return nil, fmt.Errorf("%s: %w", service, ErrNotForwarded)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.urls[service].String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", service, err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-"+known[service].JSONVersion)
	r.Header.Set("X-Amz-Target", known[service].TargetPrefix+"."+operation)
	return s.do(r, service, region, body)
}
