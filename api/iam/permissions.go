package iam

import (
	"maps"
	"slices"
	"strings"

	"fargo"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/iam"
	"fargo/record"
	"fargo/store"
)

// maxAttached is how many managed policies an entity can have.
// Source: IAM user guide, "IAM and AWS STS quotas".
const maxAttached = 10

// identity is what a role, a user and a group have in common: inline policies and
// attached ones.
type identity struct {
	kind string // as texts have it: "role"
	*record.Permissions
	maxInline int // characters of all inline policies together
	quota     string
}

func ofRole(r *record.Role) identity {
	return identity{"role", &r.Permissions, maxInline, "PoliciesPerRole"}
}

func ofUser(u *record.User) identity {
	return identity{"user", &u.Permissions, 2048, "PoliciesPerUser"}
}

func ofGroup(g *record.Group) identity {
	return identity{"group", &g.Permissions, 5120, "PoliciesPerGroup"}
}

// put sets an inline policy.
func (h identity) put(entity, name, document string) error {
	if err := checkInline(document); err != nil {
		return err
	}
	inline := maps.Clone(h.Inline)
	if inline == nil {
		inline = map[string]string{}
	}
	inline[name] = document
	total := 0
	for _, d := range inline {
		total += size(d)
	}
	if total > h.maxInline {
		return iam.LimitExceededException("Maximum policy size of %d bytes exceeded for %s %s", h.maxInline, h.kind, entity)
	}
	h.Inline = inline
	return nil
}

// get gives the document of an inline policy.
func (h identity) get(name string) (*string, error) {
	document, ok := h.Inline[name]
	if !ok {
		return nil, missing("The %s policy with name %s cannot be found.", h.kind, name)
	}
	return encoded(document), nil
}

// remove deletes an inline policy.
func (h identity) remove(name string) error {
	if _, err := h.get(name); err != nil {
		return err
	}
	inline := maps.Clone(h.Inline)
	delete(inline, name)
	h.Inline = inline
	return nil
}

// names takes one page of the names of its inline policies.
func (h identity) names(asked page.Request) ([]string, *bool, *string, error) {
	return pageOf(asked, slices.Values(slices.Sorted(maps.Keys(h.Inline))), page.Itself)
}

// attach adds a managed policy; one that is there already stays.
func (h identity) attach(r store.Reader, s fargo.Scope, arn string) error {
	if err := checkPolicyARN(arn); err != nil {
		return err
	}
	if _, ok := findPolicy(r, s, arn); !ok {
		return missing("Policy %s does not exist or is not attachable.", arn)
	}
	if strings.HasPrefix(policyPath(arn), servicePath) {
		return iam.PolicyNotAttachableException("Cannot attach a Service Role Policy to a Customer Role.")
	}
	at, found := slices.BinarySearch(h.Attached, arn)
	if found {
		return nil
	}
	if len(h.Attached) >= maxAttached {
		return iam.LimitExceededException("Cannot exceed quota for %s: %d", h.quota, maxAttached)
	}
	h.Attached = slices.Insert(slices.Clone(h.Attached), at, arn)
	return nil
}

// detach takes a managed policy away.
func (h identity) detach(arn string) error {
	if err := checkPolicyARN(arn); err != nil {
		return err
	}
	at, found := slices.BinarySearch(h.Attached, arn)
	if !found {
		return missing("Policy %s was not found.", arn)
	}
	h.Attached = slices.Delete(slices.Clone(h.Attached), at, at+1)
	return nil
}

// attached takes one page of the managed policies below a path.
func (h identity) attached(pathPrefix *string, asked page.Request) ([]iam.AttachedPolicy, *bool, *string, error) {
	policies := each(slices.Values(h.Attached),
		func(arn string) bool { return strings.HasPrefix(policyPath(arn), aws.Value(pathPrefix)) },
		attachedPolicy)
	return pageOf(asked, policies, func(p iam.AttachedPolicy) string { return *p.PolicyArn })
}

// attachedPolicy is a managed policy as lists of what is attached show it.
func attachedPolicy(arn string) iam.AttachedPolicy {
	a, _ := fargo.ParseARN(arn)
	return iam.AttachedPolicy{PolicyArn: new(arn), PolicyName: new(a.Name())}
}

// deletable refuses to delete who still has policies.
func deletable(p record.Permissions) error {
	if len(p.Attached) > 0 {
		return conflict("Cannot delete entity, must detach all policies first.")
	}
	if len(p.Inline) > 0 {
		return conflict("Cannot delete entity, must delete policies first.")
	}
	return nil
}

// boundaryType is the type of every boundary, which the model's enumeration does not
// have. Source: IAM API, AttachedPermissionsBoundary: "This data type can only have a
// value of Policy".
const boundaryType = "Policy"

// boundary makes the limit of an entity's permissions from a call's argument.
func boundary(r store.Reader, s fargo.Scope, arn *string) (*iam.AttachedPermissionsBoundary, error) {
	if arn == nil {
		return nil, nil
	}
	if err := checkPolicyARN(*arn); err != nil {
		return nil, err
	}
	if _, ok := findPolicy(r, s, *arn); !ok {
		return nil, missing("Scope ARN: %s does not exist or is not attachable.", *arn)
	}
	return &iam.AttachedPermissionsBoundary{PermissionsBoundaryArn: arn, PermissionsBoundaryType: boundaryType}, nil
}
