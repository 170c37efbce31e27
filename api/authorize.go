package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"

	"fargo/policy"
	"fargo/store"
)

// Authorizer decides whether a caller may do what it asks for.
type Authorizer interface {
	// Authorize gives nil, or the error that the client is to see. in is the
	// operation's input; it may be looked at, not changed.
	Authorize(ctx context.Context, call *Call, in any) error
}

// Policies finds the policies that are attached to callers. It is asked for every
// request, and may be asked by many at once.
type Policies interface {
	// Of gives a caller's policies, which are shared and not to be changed.
	Of(c *Caller) *policy.Caller
}

// AllowAuthenticated is an Authorizer without policies: every authenticated caller
// may do everything.
type AllowAuthenticated struct{}

// Authorize allows everything.
func (AllowAuthenticated) Authorize(context.Context, *Call, any) error { return nil }

// Enforcer is an Authorizer that decides every request by IAM's policies, and counts
// the decisions.
type Enforcer struct {
	EnforcerConfig
	documents documentCache
	counts    counts
}

// EnforcerConfig is what an Enforcer needs.
type EnforcerConfig struct {
	Actions  map[string]*Actions // by our name of the service: "elbv2"
	Policies Policies
	State    func() *store.Snapshot // in which resources are looked up
	// AuditOnly makes it refuse nothing: what it would have refused is logged.
	AuditOnly bool
	// Messages encode the failures that EC2 tells its callers encoded; nil leaves them out.
	Messages *FailureMessages
	Logger   *slog.Logger
}

// NewEnforcer makes an Enforcer.
func NewEnforcer(c EnforcerConfig) *Enforcer { return &Enforcer{EnforcerConfig: c} }

// Authorize implements [Authorizer]. Of several denials the first is told.
func (a *Enforcer) Authorize(ctx context.Context, call *Call, in any) error {
	var first *policy.Decision
	var at conditions
	a.decide(call, in, func(d policy.Decision, c *conditions) {
		a.counts.add(call.Service, d.Action, d.Effect)
		a.log(ctx, slog.LevelDebug, "policy decision", call, &d)
		if d.Effect != policy.Allow && first == nil {
			first, at = &d, *c
		}
	})
	switch {
	case first == nil:
		return nil
	case a.AuditOnly:
		a.log(ctx, slog.LevelInfo, "would have been refused", call, first)
		return nil
	}
	return denied(call, *first, a.encoded(&at, *first))
}

// encoded is the message about a denial that its service encodes, if it does.
func (a *Enforcer) encoded(c *conditions, d policy.Decision) string {
	if a.Messages == nil || !denials[c.Service].encodes(c.Operation, d) {
		return ""
	}
	return a.Messages.encode(c.Account, c, d)
}

func (a *Enforcer) log(ctx context.Context, level slog.Level, said string, call *Call, d *policy.Decision) {
	if !a.Logger.Enabled(ctx, level) {
		return
	}
	a.Logger.LogAttrs(ctx, level, said,
		slog.String("action", d.Action), slog.String("resource", d.Resource), slog.String("effect", d.Effect.String()),
		slog.String("why", d.String()), slog.String("principal", call.PrincipalARN), slog.String("request", call.RequestID))
}

// decide calls report with the decision on each access that a request needs.
func (a *Enforcer) decide(call *Call, in any, report func(policy.Decision, *conditions)) {
	actions := a.Actions[call.Service]
	if actions == nil { // a test excludes that a service has no table
		actions = &Actions{Prefix: call.Service}
	}
	state := a.State()
	c := &conditions{
		Query:  Query{Call: call, Actions: actions, State: state},
		caller: a.Policies.Of(&call.Caller), endpoint: throughEndpoint(state, call), row: actions.row(call.Operation), in: in,
	}
	accesses := c.row.accesses(&c.Query, in)
	for i := range accesses {
		c.access = &accesses[i]
		report(policy.Decide(a.who(c), c.access.Action, a.resources(&c.Query, c.access), c), c)
	}
}

// resources are the resources of an access with the policies attached to them.
func (a *Enforcer) resources(q *Query, access *Access) []policy.Resource {
	resources := make([]policy.Resource, len(access.Resources))
	for i, arn := range access.Resources {
		resources[i].ARN = arn
		if q.Actions.Policy == nil {
			continue
		}
		if p, ok := q.Actions.Policy(q.State, arn); ok {
			resources[i].Trust, resources[i].Policies = p.Trust, a.documents.get(arn, p.Document)
		}
	}
	return resources
}

// documentCache has the parsed policies of resources, by ARN and text.
type documentCache struct {
	mu struct {
		sync.RWMutex
		of map[written]*policy.Set
	}
}

type written struct{ arn, document string }

// maxDocuments is how many parsed documents are cached. When there are more, the
// cache is cleared.
const maxDocuments = 1024

func (p *documentCache) get(arn, document string) *policy.Set {
	key := written{arn, document}
	p.mu.RLock()
	set := p.mu.of[key]
	p.mu.RUnlock()
	if set != nil {
		return set
	}
	set = policy.NewSet()
	if d, err := policy.Parse(document); err == nil {
		set = policy.NewSet(policy.Policy{Name: arn, Document: d})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.of == nil || len(p.mu.of) >= maxDocuments {
		p.mu.of = map[written]*policy.Set{}
	}
	p.mu.of[key] = set
	return set
}

// counts are the numbers of decisions so far.
type counts struct {
	mu struct {
		sync.RWMutex
		of map[counted]*[3]atomic.Int64 // by effect
	}
}

type counted struct{ service, action string }

func (c *counts) add(service, action string, effect policy.Effect) {
	key := counted{service, action}
	c.mu.RLock()
	n := c.mu.of[key]
	c.mu.RUnlock()
	if n == nil {
		n = c.first(key)
	}
	n[effect].Add(1)
}

func (c *counts) first(key counted) *[3]atomic.Int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.of == nil {
		c.mu.of = map[counted]*[3]atomic.Int64{}
	}
	if c.mu.of[key] == nil {
		c.mu.of[key] = new([3]atomic.Int64)
	}
	return c.mu.of[key]
}

// Decisions are the numbers of decisions since the start, by service, action and
// effect ("allow", "implicit deny", "explicit deny").
func (a *Enforcer) Decisions() map[string]map[string]map[string]int64 {
	a.counts.mu.RLock()
	defer a.counts.mu.RUnlock()
	all := map[string]map[string]map[string]int64{}
	for key, n := range a.counts.mu.of {
		if all[key.service] == nil {
			all[key.service] = map[string]map[string]int64{}
		}
		of := map[string]int64{}
		for effect := range n {
			if count := n[effect].Load(); count > 0 {
				of[policy.Effect(effect).String()] = count
			}
		}
		all[key.service][key.action] = of
	}
	return all
}

// ServeHTTP answers with [Enforcer.Decisions] as JSON. It needs no access key, and
// answers only clients on this machine.
func (a *Enforcer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !FromThisMachine(r) {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if err := json.NewEncoder(w).Encode(a.Decisions()); err != nil {
		a.Logger.Debug("cannot write the decisions", "error", err)
	}
}
