package policy

import (
	"slices"
	"strings"
)

// Request is what somebody wants to do.
type Request struct {
	Action   string // "ecs:RunTask"
	Resource string // ARN, or "*" for actions without resources
	// Principal is who asks; only policies with principals look at it.
	Principal Principal
	// Context has the values of condition keys ("aws:username",
	// "ecs:cluster", …), under their names in lower case.
	Context map[string][]string
}

// Principal is who asks: an AWS service, or somebody in an account.
type Principal struct {
	Service string // "ecs-tasks.amazonaws.com"
	// Account and ARNs are those of a user, or of a role's session: its own
	// ARN and its role's.
	Account string
	ARNs    []string
}

func (r Request) values(key string) []string { return r.Context[strings.ToLower(key)] }

// Decision is what policies say of a request. The zero value is ImplicitDeny.
type Decision int

// The decisions: nothing is said, something allows, something denies (whatever
// else allows).
const (
	ImplicitDeny Decision = iota
	Allow
	ExplicitDeny
)

// String is the decision's name.
func (d Decision) String() string {
	return [...]string{"implicit deny", "allow", "explicit deny"}[d]
}

// Evaluate says what a set of policies attached to one place decides.
func Evaluate(r Request, documents ...Document) Decision {
	decision := ImplicitDeny
	for _, d := range documents {
		for _, s := range d.Statements {
			switch {
			case !d.matches(s, r):
			case !s.Allow:
				return ExplicitDeny
			default:
				decision = Allow
			}
		}
	}
	return decision
}

// Trusts reports whether a role's trust policy lets an AWS service
// ("ecs-tasks.amazonaws.com") assume the role on behalf of an account. Which
// resource the service acts for (aws:SourceArn) is not asked.
func Trusts(d Document, service, account string) bool {
	statements := slices.Clone(d.Statements)
	for i, s := range statements {
		statements[i].Conditions = slices.DeleteFunc(slices.Clone(s.Conditions), func(c Condition) bool {
			return strings.EqualFold(c.Key, "aws:SourceArn")
		})
	}
	d.Statements = statements
	return Evaluate(Request{
		Action: "sts:AssumeRole", Resource: "*",
		Principal: Principal{Service: service},
		Context:   map[string][]string{"aws:sourceaccount": {account}},
	}, d) == Allow
}

func (d Document) matches(s Statement, r Request) bool {
	switch {
	case s.Actions != nil && !slices.ContainsFunc(s.Actions, r.isAction):
		return false
	case s.NotActions != nil && slices.ContainsFunc(s.NotActions, r.isAction):
		return false
	case s.Resources != nil && !d.anyResource(s.Resources, r):
		return false
	case s.NotResources != nil && d.anyResource(s.NotResources, r):
		return false
	case s.Principals != nil && !s.Principals.include(r.Principal):
		return false
	case s.NotPrincipals != nil && s.NotPrincipals.include(r.Principal):
		return false
	}
	return !slices.ContainsFunc(s.Conditions, func(c Condition) bool { return !d.holds(c, r) })
}

func (r Request) isAction(pattern string) bool {
	return match(strings.ToLower(pattern), strings.ToLower(r.Action))
}

func (d Document) anyResource(patterns []string, r Request) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		pattern, ok := d.expand(p, r)
		return ok && matchGlob(pattern, []rune(r.Resource))
	})
}

func (p *Principals) include(who Principal) bool {
	if p.Everyone || slices.Contains(p.ByKind["AWS"], "*") {
		return true
	}
	if who.Service != "" {
		return slices.Contains(p.ByKind["Service"], who.Service)
	}
	return slices.ContainsFunc(p.ByKind["AWS"], func(v string) bool {
		return v == who.Account || strings.HasSuffix(v, "::"+who.Account+":root") || slices.Contains(who.ARNs, v)
	})
}
