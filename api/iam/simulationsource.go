package iam

import (
	"maps"
	"slices"
	"strings"

	"fargo"
	"fargo/aws/iam"
	"fargo/store"
)

// sourcePolicies are the policies of a user, a group or a role: names as results have
// them, and texts.
type sourcePolicies struct {
	names    []string
	texts    []string
	boundary string // the text of the permissions boundary; empty for none
}

func (p *sourcePolicies) add(name, text string) {
	p.names, p.texts = append(p.names, name), append(p.texts, text)
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
		g.collect(p, "user_"+a.Name()+"_", u.Inline, u.Attached)
		for _, name := range u.Groups {
			if group, ok := store.Groups.Get(r, s.Key(name)); ok {
				g.collect(p, "group_"+name+"_", group.Inline, group.Attached)
			}
		}
		p.boundary = g.text(u.User.PermissionsBoundary)
	case "group":
		group, ok := store.Groups.Get(r, s.Key(a.Name()))
		if !ok {
			return nil, missing("Group %s does not exist", a.Name())
		}
		g.collect(p, "group_"+a.Name()+"_", group.Inline, group.Attached)
	case "role":
		role, ok := store.Roles.Get(r, s.Key(a.Name()))
		if !ok {
			return nil, missing("Role %s does not exist", a.Name())
		}
		g.collect(p, "role_"+a.Name()+"_", role.Inline, role.Attached)
		p.boundary = g.text(role.Role.PermissionsBoundary)
	default:
		return nil, iam.InvalidInputException("Invalid Entity Arn: %s does not clearly define entity type and name.", arn)
	}
	return p, nil
}

// collect adds the inline and the managed policies of an entity.
func (g gathering) collect(p *sourcePolicies, prefix string, inline map[string]string, attached []string) {
	for _, name := range slices.Sorted(maps.Keys(inline)) {
		p.add(prefix+name, inline[name])
	}
	for _, arn := range attached {
		if managed, ok := findPolicy(g, g.scope, arn); ok {
			p.add(*managed.Policy.PolicyName, managed.Document())
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
