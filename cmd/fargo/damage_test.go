package main

import (
	"bytes"
	"context"
	"html"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"fargo"
	"fargo/api"
	apiecr "fargo/api/ecr"
	apiecs "fargo/api/ecs"
	apiiam "fargo/api/iam"
	"fargo/aws/ecs"
	"fargo/aws/protocol"
	"fargo/logs"
	"fargo/metrics"
	"fargo/registry"
	"fargo/store"
)

// foreign is what AWS's answers never have: the words in which Go, its libraries and
// our own internals say that something is wrong.
var foreign = regexp.MustCompile(strings.Join([]string{
	`\bGo (struct|value|type|map)\b`, `\bjson: `, `\bcbor: `, `\bmime: `, `\basn1: `, `\bx509: `, `\btls: `, `\bgzip: `, `\byaml: `, `\bhex: `,
	`unexpected (end of JSON|EOF)`, `invalid character '`, `illegal base64`, `\bstrconv\.`, `\bParse(Int|Uint|Float|Bool|Prefix|Addr)\b`,
	`runtime error`, `nil pointer`, `out of range \[`, `\bencoding/`, `\bcrypto/`, `\bnetip\.`, `\*?\b(protocol|fargo|store|record|aws)\.[A-Z]`,
	`parsing time`, `cannot parse "`, `error parsing regexp`, `map\[string\]`, `interface \{\}`, `%!\w?\(`, `<nil>`, `\(nil\)`, `0xc0[0-9a-f]{6}`,
	`invalid URL escape`, `first path segment`, `invalid reference format`, `invalid CIDR address`, `no such file`, `XML syntax error`,
}, "|"))

// site is all services over empty stores.
type site struct {
	handler    http.Handler
	operations []target
	logged     *bytes.Buffer
}

// target is an implemented operation.
type target struct {
	service   *protocol.Service
	operation *protocol.Operation
}

func newSite(t testing.TB) *site {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s := &site{logged: &bytes.Buffer{}}
	logger := slog.New(slog.NewTextHandler(s.logged, nil))
	db, err := store.Open(t.Context(), store.NewMemory())
	must(err)
	events, err := logs.Open(t.TempDir(), logger)
	must(err)
	t.Cleanup(func() { events.Close() })
	series, err := metrics.Open(t.TempDir(), logger, time.Now)
	must(err)
	t.Cleanup(func() { series.Close() })
	blobs, err := registry.OpenStorage(t.Context(), registry.StorageConfig{Dir: t.TempDir(), Grace: time.Hour, Logger: logger})
	must(err)
	messages, err := api.NewFailureMessages(make([]byte, 32))
	must(err)
	mounted := services(dependencies{db: db, calls: api.Calls{Authorizer: api.AllowAuthenticated{}}, logs: events, metrics: series, messages: messages, ecr: apiecr.New(apiecr.Config{DB: db, Blobs: blobs, Calls: api.Calls{Authorizer: api.AllowAuthenticated{}}})})
	for i, m := range mounted {
		if m.Service == &ecs.API { // without the kernel, which is not to be tried
			mounted[i].Server = apiecs.New(apiecs.Config{
				DB: db, Assumable: apiiam.Assumable,
				TrySysctl: func(string, string) error { return nil }, TryUlimit: func(string, int64) error { return nil },
			})
		}
		for j := range m.Service.Operations {
			op := &m.Service.Operations[j]
			if op.Bind == nil {
				continue
			}
			if _, ok := op.Bind(mounted[i].Server); ok {
				s.operations = append(s.operations, target{m.Service, op})
			}
		}
	}
	s.handler = api.New(api.Config{
		Services: mounted, Keys: noKeys{}, Authorizer: api.AllowAuthenticated{}, Logger: logger,
		AcceptAnyCredentials: true, Account: fargo.DefaultAccount, Region: fargo.DefaultRegion,
	})
	return s
}

// noKeys knows no access key.
type noKeys struct{}

func (noKeys) Key(string) (api.Key, bool) { return api.Key{}, false }

// furniture are requests that make a few resources with the name web: the target of
// JSON, or none for a query, and the body.
var furniture = [][2]string{
	{"AmazonEC2ContainerServiceV20141113.CreateCluster", `{"clusterName":"web"}`},
	{"AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition", `{"family":"web","containerDefinitions":[{"name":"web","image":"nginx","memory":64}]}`},
	{"AmazonEC2ContainerRegistry_V20150921.CreateRepository", `{"repositoryName":"web"}`},
	{"Logs_20140328.CreateLogGroup", `{"logGroupName":"web"}`},
	{"Logs_20140328.CreateLogStream", `{"logGroupName":"web","logStreamName":"web"}`},
	{"", "Action=CreateUser&Version=2010-05-08&UserName=web"},
	{"", "Action=CreateGroup&Version=2010-05-08&GroupName=web"},
	{"", "Action=CreateRole&Version=2010-05-08&RoleName=web&AssumeRolePolicyDocument=" +
		url.QueryEscape(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)},
	{"", "Action=CreatePolicy&Version=2010-05-08&PolicyName=web&PolicyDocument=" +
		url.QueryEscape(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)},
	{"", "Action=CreateDefaultVpc&Version=2016-11-15"},
}

// furnish makes what of the furniture is not there.
func (s *site) furnish(t testing.TB) {
	for _, f := range furniture {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(f[1]))
		if f[0] != "" {
			r.Header.Set("X-Amz-Target", f[0])
		} else {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		s.handler.ServeHTTP(httptest.NewRecorder(), r)
	}
}

// try sends one request and holds the answer to what every answer must be.
func (s *site) try(t testing.TB, op target, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	r := damagedRequest(rng, op)
	sent := describe(r)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := &hasty{ResponseRecorder: httptest.NewRecorder(), cancel: cancel}
	s.logged.Reset()
	s.handler.ServeHTTP(w, r.WithContext(ctx))
	answer := html.UnescapeString(w.Body.String())
	if found := foreign.FindString(answer); found != "" {
		t.Errorf("%s %s (seed %d): %q in the answer\n%s\nto\n%s", op.service.Name, op.operation.Name, seed, found, answer, sent)
	}
	if w.Code == http.StatusInternalServerError {
		t.Errorf("%s %s (seed %d): an internal failure: %s\nof\n%s", op.service.Name, op.operation.Name, seed, s.logged, sent)
	}
}

// hasty is a client that leaves when the first event of a stream has come.
type hasty struct {
	*httptest.ResponseRecorder
	cancel context.CancelFunc
}

func (h *hasty) Flush() {
	h.ResponseRecorder.Flush()
	h.cancel()
}

// seeds is how many requests of each operation are tried.
const seeds = 12

// No error of Go or of a library reaches a user, whatever comes: each operation of each
// service is given inputs made from its shape and then damaged.
func TestDamagedRequests(t *testing.T) {
	s := newSite(t)
	if len(s.operations) < 200 {
		t.Fatalf("only %d operations", len(s.operations))
	}
	for i, op := range s.operations {
		s.furnish(t)
		for seed := range uint64(seeds) {
			s.try(t, op, uint64(i)*1000+seed)
		}
	}
}

func FuzzDamagedRequests(f *testing.F) {
	s := newSite(f)
	f.Add(uint16(0), uint64(0))
	f.Fuzz(func(t *testing.T, op uint16, seed uint64) {
		s.try(t, s.operations[int(op)%len(s.operations)], seed)
	})
}
