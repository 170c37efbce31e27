package iam

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"fargo"
	"fargo/api"
	"fargo/aws/iam"
	"fargo/policy"
	"fargo/record"
	"fargo/store"
)

// CallerPolicies finds the policies of callers, for the request chain. It caches
// parsed policies until a user, group, role or policy changes.
type CallerPolicies struct {
	db *store.DB
	mu struct {
		sync.RWMutex
		of    iamVersion
		known map[principal]*policy.Caller
	}
}

var _ api.Policies = (*CallerPolicies)(nil)

// NewCallerPolicies makes one that reads db.
func NewCallerPolicies(db *store.DB) *CallerPolicies { return &CallerPolicies{db: db} }

// principal is the cache's key. Sessions of one role differ in their access keys.
type principal struct{ arn, accessKeyID, service string }

// maxKnown is how many callers the cache has. When there are more, it is cleared.
const maxKnown = 4096

// iamVersion is the version of all tables that policies are read from. Sessions are
// not among them: a session never changes.
type iamVersion struct{ users, groups, roles, policies store.Version }

func versionOf(v *store.Snapshot) iamVersion {
	return iamVersion{store.Users.Version(v), store.Groups.Version(v), store.Roles.Version(v), store.Policies.Version(v)}
}

// Of implements [api.Policies].
func (p *CallerPolicies) Of(c *api.Caller) *policy.Caller {
	view := p.db.View()
	now, who := versionOf(view), principal{c.PrincipalARN, c.AccessKeyID, c.ServicePrincipal}
	p.mu.RLock()
	known, ok := p.mu.known[who]
	ok = ok && p.mu.of == now
	p.mu.RUnlock()
	if ok {
		return known
	}
	known = callerPolicies(view, c)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.of != now || len(p.mu.known) >= maxKnown {
		p.mu.of, p.mu.known = now, map[principal]*policy.Caller{}
	}
	p.mu.known[who] = known
	return known
}

// callerPolicies gathers the policies of a caller.
func callerPolicies(r store.Reader, c *api.Caller) *policy.Caller {
	out := &policy.Caller{Principal: policy.Principal{Service: c.ServicePrincipal, Account: c.PrincipalAccount(), Role: c.Role}}
	if c.PrincipalARN != "" {
		out.ARNs = []string{c.PrincipalARN, c.PrincipalID}
	}
	g := gathering{r, fargo.Scope{Account: out.Account}}
	switch c.Kind() {
	case api.RootCaller:
		out.Root = true
	case api.UserCaller:
		g.user(out, c.UserName())
	case api.FederatedCaller:
		g.federated(out, c)
	case api.RoleCaller:
		g.role(out, c)
		g.session(out, c)
	}
	return out
}

// gathering reads the policies of an account.
type gathering struct {
	store.Reader
	scope fargo.Scope
}

func (g gathering) user(out *policy.Caller, name string) {
	u, ok := store.Users.Get(g, g.scope.Key(name))
	if !ok {
		return
	}
	policies := g.policies(u.Permissions)
	for _, name := range u.Groups {
		if group, ok := store.Groups.Get(g, g.scope.Key(name)); ok {
			policies = append(policies, g.policies(group.Permissions)...)
		}
	}
	out.Identity = policy.NewSet(policies...)
	out.Boundary = g.boundary(u.User.PermissionsBoundary)
	out.Tags = lowered(u.User.Tags, nil)
}

func (g gathering) role(out *policy.Caller, c *api.Caller) {
	a, _ := fargo.ParseARN(cmp.Or(c.Role, c.PrincipalARN))
	name := a.Name()
	if session, ok := strings.CutPrefix(a.Resource, "assumed-role/"); ok { // the path is left out
		name, _, _ = strings.Cut(session, "/")
	}
	role, ok := store.Roles.Get(g, g.scope.Key(name))
	if !ok {
		return
	}
	out.Role, out.RoleID = *role.Role.Arn, *role.Role.RoleId
	out.Identity = policy.NewSet(g.policies(role.Permissions)...)
	out.Boundary = g.boundary(role.Role.PermissionsBoundary)
	out.Tags = lowered(role.Role.Tags, c.SessionTags)
}

// federated gives a federated user what the user who asked for the credentials has, as far
// as the session's policies allow it: without any, nothing.
// Source: STS API, GetFederationToken.
func (g gathering) federated(out *policy.Caller, c *api.Caller) {
	a, _ := fargo.ParseARN(c.FederatedBy)
	g.user(out, a.Name())
	out.Tags = lowered(nil, c.SessionTags)
	out.Session = policy.NewSet()
	g.session(out, c)
}

// session limits what a session may do, if its policies say so.
func (g gathering) session(out *policy.Caller, c *api.Caller) {
	if c.SessionPolicy == "" && len(c.SessionPolicyARNs) == 0 {
		return
	}
	var policies []policy.Policy
	if c.SessionPolicy != "" {
		policies = parsed(policies, "the session's own", c.SessionPolicy)
	}
	out.Session = policy.NewSet(g.managed(policies, c.SessionPolicyARNs)...)
}

// policies are those of a user, a group or a role.
func (g gathering) policies(p record.Permissions) []policy.Policy {
	var policies []policy.Policy
	for _, name := range slices.Sorted(maps.Keys(p.Inline)) {
		policies = parsed(policies, name, p.Inline[name])
	}
	return g.managed(policies, p.Attached)
}

func (g gathering) managed(policies []policy.Policy, arns []string) []policy.Policy {
	for _, arn := range arns {
		if p, ok := findPolicy(g, g.scope, arn); ok {
			policies = parsed(policies, arn, p.Document())
		}
	}
	return policies
}

func (g gathering) boundary(b *iam.AttachedPermissionsBoundary) *policy.Set {
	if b == nil {
		return nil
	}
	return policy.NewSet(g.managed(nil, []string{*b.PermissionsBoundaryArn})...)
}

// parsed adds a document. A document was parsed before it was stored; one that can
// not be parsed all the same denies everything, because it may contain a deny.
func parsed(policies []policy.Policy, name, document string) []policy.Policy {
	d, err := policy.Parse(document)
	if err != nil {
		d = denyEverything
	}
	return append(policies, policy.Policy{Name: name, Document: d})
}

var denyEverything, _ = policy.Parse(`{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`)

// lowered are tags by their keys in lower case; those of a session hide others.
func lowered(tags []iam.Tag, session map[string]string) map[string]string {
	if len(tags)+len(session) == 0 {
		return nil
	}
	all := map[string]string{}
	for _, t := range tags {
		all[strings.ToLower(*t.Key)] = *t.Value
	}
	for key, value := range session {
		all[strings.ToLower(key)] = value
	}
	return all
}
