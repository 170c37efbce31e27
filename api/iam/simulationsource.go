package iam

import (
	"maps"
	"slices"
	"strings"

	"fargo"
	"fargo/aws/iam"
	"fargo/record"
	"fargo/store"
)

// sourcePolicies are the policies of a user, a group or a role.
type sourcePolicies struct {
	all      []sourcePolicy
	boundary string // the text of the permissions boundary; empty for none
}

// sourcePolicy is one of them.
type sourcePolicy struct {
	name, text string // the name is the one that results have
	arn        string // of a managed policy; empty for an inline one
	inline     string // the name of an inline policy
	kind       iam.AttachmentType
	entity     string // that it is attached to, of that kind
}

// documents are the texts of the policies.
func (p *sourcePolicies) documents() (texts []string) {
	for _, one := range p.all {
		texts = append(texts, one.text)
	}
	return texts
}

// policyType is how an identifier calls the kind of the policy.
func (p sourcePolicy) policyType() iam.PolicyIdentifierPolicyType {
	switch {
	case p.arn == "":
		return iam.PolicyIdentifierPolicyTypeInline
	case strings.HasPrefix(p.arn, "arn:aws:iam::aws:"):
		return iam.PolicyIdentifierPolicyTypeAwsManaged
	}
	return iam.PolicyIdentifierPolicyTypeUserManaged
}

// principalPolicies finds the policies of an entity by its ARN; a user has those of its
// groups too. Names are those that the policy simulator gives; inferred, for recordings
// do not have them.
func principalPolicies(r store.Reader, s fargo.Scope, arn string) (*sourcePolicies, error) {
	g := gathering{r, s}
	p := new(sourcePolicies)
	a, ok := fargo.ParseARN(arn)
	kind, _, _ := strings.Cut(a.Resource, "/")
	if !ok || a.Service != "iam" || a.Account != s.Account {
		return nil, iam.InvalidInputException("Invalid Entity Arn: %s does not clearly define entity type and name.", arn)
	}
	switch kind {
	case "user":
		u, ok := store.Users.Get(r, s.Key(a.Name()))
		if !ok {
			return nil, missing("User %s does not exist", a.Name())
		}
		g.collect(p, iam.AttachmentTypeUser, a.Name(), u.Permissions)
		for _, name := range u.Groups {
			if group, ok := store.Groups.Get(r, s.Key(name)); ok {
				g.collect(p, iam.AttachmentTypeGroup, name, group.Permissions)
			}
		}
		p.boundary = g.text(u.User.PermissionsBoundary)
	case "group":
		group, ok := store.Groups.Get(r, s.Key(a.Name()))
		if !ok {
			return nil, missing("Group %s does not exist", a.Name())
		}
		g.collect(p, iam.AttachmentTypeGroup, a.Name(), group.Permissions)
	case "role":
		role, ok := store.Roles.Get(r, s.Key(a.Name()))
		if !ok {
			return nil, missing("Role %s does not exist", a.Name())
		}
		g.collect(p, iam.AttachmentTypeRole, a.Name(), role.Permissions)
		p.boundary = g.text(role.Role.PermissionsBoundary)
	default:
		return nil, iam.InvalidInputException("Invalid Entity Arn: %s does not clearly define entity type and name.", arn)
	}
	return p, nil
}

// collect adds the inline and the managed policies of an entity.
func (g gathering) collect(p *sourcePolicies, kind iam.AttachmentType, entity string, has record.Permissions) {
	for _, name := range slices.Sorted(maps.Keys(has.Inline)) {
		p.all = append(p.all, sourcePolicy{
			name: string(kind) + "_" + entity + "_" + name, text: has.Inline[name], inline: name, kind: kind, entity: entity,
		})
	}
	for _, arn := range has.Attached {
		if managed, ok := findPolicy(g, g.scope, arn); ok {
			p.all = append(p.all, sourcePolicy{name: *managed.Policy.PolicyName, text: managed.Document(), arn: arn, kind: kind, entity: entity})
		}
	}
}

// text is the document of a permissions boundary.
func (g gathering) text(b *iam.AttachedPermissionsBoundary) string {
	if b == nil {
		return ""
	}
	p, ok := findPolicy(g, g.scope, *b.PermissionsBoundaryArn)
	if !ok {
		return ""
	}
	return p.Document()
}
