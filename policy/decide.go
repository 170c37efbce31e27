package policy

import (
	"slices"
	"strings"
)

// Policy is a document and its name in explanations: the ARN of a managed policy,
// the policy name of an inline one.
type Policy struct {
	Name string
	Document
}

// Set is policies of one kind that apply together: what one of them allows is
// allowed, unless one of them denies it. [NewSet] makes it. It never changes and
// may be used by several goroutines.
type Set struct{ denies, allows []rule }

// rule is a statement and the name of its policy.
type rule struct {
	*Statement
	policy string
}

// NewSet makes a set. A set without policies allows nothing.
func NewSet(policies ...Policy) *Set {
	set := new(Set)
	for _, p := range policies {
		for i := range p.Statements {
			r := rule{&p.Statements[i], p.Name}
			if r.Allow {
				set.allows = append(set.allows, r)
			} else {
				set.denies = append(set.denies, r)
			}
		}
	}
	return set
}

// With is a set with further policies. A nil set has none.
func (set *Set) With(policies ...Policy) *Set {
	more := NewSet(policies...)
	if set == nil {
		return more
	}
	return &Set{slices.Concat(set.denies, more.denies), slices.Concat(set.allows, more.allows)}
}

// find gives the first rule that applies to a request, or nil.
func find(rules []rule, action string, r *Request) *rule {
	for i := range rules {
		if rules[i].matches(action, r) {
			return &rules[i]
		}
	}
	return nil
}

// Caller is who makes a request, with the policies that apply to it.
type Caller struct {
	Principal
	Root bool // the account's root user, who needs no identity-based policy
	// Identity has the policies of the user and its groups, or of the role. nil: none.
	Identity *Set
	// Boundary and Session limit what Identity allows. nil: no limit.
	Boundary *Set
	Session  *Set
	// Endpoint has the policy of the VPC endpoint that the request came through, which
	// limits whatever other policies allow. nil: no limit.
	Endpoint *Set
	// Organization has the service control policies of each level of an organization, of
	// which each must allow. Empty: no limit.
	Organization []*Set
	// Tags are the principal's, by their keys in lower case. Decide does not use
	// them; they are for the context of requests (aws:PrincipalTag).
	Tags map[string]string
}

// Resource is a resource of a request.
type Resource struct {
	ARN string // or "*"
	// Account owns the resource, if its ARN does not say who does; empty: the caller's.
	Account string
	// Policies are attached to the resource. nil: none.
	Policies *Set
	// Trust tells that Policies are a role's trust policy, or a KMS key's: it must allow the request
	// whatever other policies allow.
	Trust bool
}

// Kind is a kind of policy, named as in AWS's error messages.
type Kind string

// The kinds of policies.
const (
	IdentityBased Kind = "identity-based policy"
	BoundaryLimit Kind = "permissions boundary"
	SessionLimit  Kind = "session policy"
	ResourceBased Kind = "resource-based policy"
	RoleTrust     Kind = "role trust policy"
	EndpointLimit Kind = "VPC endpoint policy"
	ControlLimit  Kind = "service control policy"
)

// Decision is whether an action is allowed on all resources of a request, and why.
type Decision struct {
	Effect Effect
	Action string
	// Resource is the one that is denied, or the last one if all are allowed.
	Resource string
	// Kind is the kind of policy that decided. Empty if no policy was needed: for a
	// root user, or without resources.
	Kind Kind
	// Policy and Statement are what decided. Unset for an implicit deny.
	Policy    string
	Statement *Statement
}

// Decide decides whether a caller may do an action on all of the resources. A
// request without resources is allowed.
// Source: IAM user guide, "Policy evaluation logic".
func Decide(c *Caller, action string, resources []Resource, context Context) Decision {
	r := Request{Action: action, Principal: c.Principal, Context: context}
	lowered := strings.ToLower(action)
	decision := Decision{Effect: Allow, Action: action}
	for i := range resources {
		r.Resource = resources[i].ARN
		d := c.decide(lowered, &r, &resources[i])
		switch {
		case d.Effect == ExplicitDeny:
			return d
		case decision.Effect == Allow:
			decision = d
		}
	}
	return decision
}

// decide decides about one resource. action is in lower case.
func (c *Caller) decide(action string, r *Request, on *Resource) Decision {
	if d, denied := c.denied(action, r, on); denied {
		return d
	}
	for _, level := range c.Organization {
		if level.allow(action, r) == nil {
			return r.undecided(ControlLimit)
		}
	}
	d := c.granted(action, r, on)
	if d.Effect == Allow && c.Endpoint != nil && c.Endpoint.allow(action, r) == nil {
		return r.undecided(EndpointLimit)
	}
	return d
}

// granted decides what nothing denies, before the limit of a VPC endpoint.
func (c *Caller) granted(action string, r *Request, on *Resource) Decision {
	granted, by := on.grant(action, r)
	foreign := c.isForeign(on)
	switch {
	case by == toNobody && (on.Trust || foreign || c.Service != ""):
		return r.undecided(on.kind())
	case by == toCaller && !foreign || c.Service != "":
		return r.allowed(on.kind(), granted)
	case c.Root:
		return r.allowed("", nil)
	}
	kind, rule := IdentityBased, c.Identity.allow(action, r)
	if rule == nil && by == toRole && !foreign {
		kind, rule = on.kind(), granted
	}
	switch {
	case rule == nil:
		return r.undecided(IdentityBased)
	case c.Boundary != nil && c.Boundary.allow(action, r) == nil:
		return r.undecided(BoundaryLimit)
	case c.Session != nil && c.Session.allow(action, r) == nil:
		return r.undecided(SessionLimit)
	}
	return r.allowed(kind, rule)
}

// denied looks for a statement that denies, in all policies.
func (c *Caller) denied(action string, r *Request, on *Resource) (Decision, bool) {
	for _, level := range c.Organization {
		if rule := find(level.denies, action, r); rule != nil {
			return Decision{ExplicitDeny, r.Action, r.Resource, ControlLimit, rule.policy, rule.Statement}, true
		}
	}
	for _, from := range [...]struct {
		set  *Set
		kind Kind
	}{{c.Identity, IdentityBased}, {c.Boundary, BoundaryLimit}, {c.Session, SessionLimit}, {on.Policies, on.kind()}, {c.Endpoint, EndpointLimit}} {
		if from.set == nil {
			continue
		}
		if rule := find(from.set.denies, action, r); rule != nil {
			return Decision{ExplicitDeny, r.Action, r.Resource, from.kind, rule.policy, rule.Statement}, true
		}
	}
	return Decision{}, false
}

// isForeign reports whether a resource is in another account than the caller, if that is of
// one.
func (c *Caller) isForeign(on *Resource) bool {
	account := accountOf(on.ARN)
	if account == "" {
		account = on.Account
	}
	return account != "" && c.Account != "" && account != c.Account && account != "aws"
}

// accountOf is the account in an ARN; empty if there is none.
func accountOf(arn string) string {
	for range 4 { // arn:partition:service:region:account:resource
		_, rest, ok := strings.Cut(arn, ":")
		if !ok {
			return ""
		}
		arn = rest
	}
	account, _, _ := strings.Cut(arn, ":")
	return account
}

func (set *Set) allow(action string, r *Request) *rule {
	if set == nil {
		return nil
	}
	return find(set.allows, action, r)
}

func (r *Request) undecided(kind Kind) Decision {
	return Decision{Effect: ImplicitDeny, Action: r.Action, Resource: r.Resource, Kind: kind}
}

func (r *Request) allowed(kind Kind, by *rule) Decision {
	d := Decision{Effect: Allow, Action: r.Action, Resource: r.Resource, Kind: kind}
	if by != nil {
		d.Policy, d.Statement = by.policy, by.Statement
	}
	return d
}

// grantee is how directly a resource's policy names the caller.
type grantee uint8

const (
	toNobody  grantee = iota
	toAccount         // its account: the caller's own policies then decide
	toRole            // its role: boundary and session policies still limit it
	toCaller          // the user, the session or the service itself, or everybody
)

func (on *Resource) kind() Kind {
	if on.Trust && !strings.Contains(on.ARN, ":kms:") {
		return RoleTrust
	}
	return ResourceBased
}

// grant finds the statement of the resource's policies that allows the request and
// names the caller most directly.
func (on *Resource) grant(action string, r *Request) (best *rule, by grantee) {
	if on.Policies == nil {
		return nil, toNobody
	}
	for i := range on.Policies.allows {
		rule := &on.Policies.allows[i]
		if g := rule.grantee(&r.Principal); g > by && rule.matches(action, r) {
			best, by = rule, g
		}
	}
	return best, by
}

func (s *Statement) grantee(who *Principal) grantee {
	p := s.Principals
	switch {
	case p == nil, p.isEveryone(): // without principals, all but those in NotPrincipal
		return toCaller
	case who.Service != "":
		return toCaller // if the statement matches at all
	}
	best := toNobody
	for _, v := range p.ByKind["AWS"] {
		switch {
		case who.is(v):
			return toCaller
		case who.isOf(v):
			best = max(best, toRole)
		case isAccount(v, who.Account):
			best = max(best, toAccount)
		}
	}
	return best
}

// Denial is why the access is denied, as AWS's error messages say it: they name the
// managed policy that denies, and no statement.
// Source: IAM user guide, "Troubleshoot access denied error messages".
func (d Decision) Denial() string {
	if d.Effect != ExplicitDeny {
		return "because no " + string(d.Kind) + " allows the " + d.Action + " action"
	}
	why := "with an explicit deny in " + d.Kind.withArticle()
	if d.Kind != ResourceBased && d.Kind != RoleTrust && strings.HasPrefix(d.Policy, "arn:") {
		why += ": " + d.Policy
	}
	return why
}

// String explains the decision, a denial with the statement that denies.
func (d Decision) String() string {
	switch {
	case d.Effect == ExplicitDeny:
		return "with an explicit deny in " + d.Kind.withArticle() + ": " + d.Policy + ", " + d.Statement.Name()
	case d.Effect == ImplicitDeny:
		return d.Denial()
	case d.Statement == nil:
		return "allowed"
	}
	return "allowed by " + d.Kind.withArticle() + ": " + d.Policy + ", " + d.Statement.Name()
}

func (k Kind) withArticle() string {
	switch k {
	case IdentityBased:
		return "an " + string(k)
	case RoleTrust:
		return "the " + string(k)
	}
	return "a " + string(k)
}
