package iam

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/iam"
	"fargo/policy"
	"fargo/store"
)

// simulation is what is to be simulated.
type simulation struct {
	caller    *policy.Caller
	documents map[string]string // the texts of the policies, by the names that results have
	actions   []string
	resources []string
	resource  *policy.Set // attached to each resource
	owner     string      // of resources whose ARNs name none; empty: the caller's account
	context   policy.Values
	asked     page.Request
	// organizations is whether results tell of organizations: an account without one is
	// allowed by it.
	organizations bool
}

// SimulateCustomPolicy implements the operation of that name.
func (s *Server) SimulateCustomPolicy(ctx context.Context, in *iam.SimulateCustomPolicyInput) (*iam.SimulateCustomPolicyOutput, error) {
	m := &simulation{
		caller: &policy.Caller{}, documents: map[string]string{}, actions: in.ActionNames, resources: in.ResourceArns,
		context: policy.Values{}, asked: pages.Ask(in, in.Marker, in.MaxItems),
	}
	if in.CallerArn != nil {
		if err := m.calledBy(s.db.View(), *in.CallerArn); err != nil {
			return nil, err
		}
	}
	if err := m.input(in.PolicyInputList, in.PermissionsBoundaryPolicyInputList, in.ResourcePolicy, in.ContextEntries); err != nil {
		return nil, err
	}
	if err := m.organized(in.OrderedOrganizationPolicyInputList); err != nil {
		return nil, err
	}
	if err := m.about(in.ResourceOwner, in.ResourceHandlingOption); err != nil {
		return nil, err
	}
	results, more, next, err := m.results()
	return &iam.SimulateCustomPolicyOutput{EvaluationResults: results, IsTruncated: more, Marker: next}, err
}

// SimulatePrincipalPolicy implements the operation of that name.
func (s *Server) SimulatePrincipalPolicy(ctx context.Context, in *iam.SimulatePrincipalPolicyInput) (*iam.SimulatePrincipalPolicyOutput, error) {
	view := s.db.View()
	source, err := principalPolicies(view, scopeOf(ctx), *in.PolicySourceArn)
	if err != nil {
		return nil, err
	}
	if err := source.exclude(in.PolicyExclusionList); err != nil {
		return nil, err
	}
	m := &simulation{
		caller: &policy.Caller{}, documents: map[string]string{}, actions: in.ActionNames, resources: in.ResourceArns,
		context: policy.Values{}, asked: pages.Ask(in, in.Marker, in.MaxItems), organizations: true,
	}
	if err := m.calledBy(view, *cmp.Or(in.CallerArn, in.PolicySourceArn)); err != nil {
		return nil, err
	}
	m.attach(source)
	if err := m.input(in.PolicyInputList, in.PermissionsBoundaryPolicyInputList, in.ResourcePolicy, in.ContextEntries); err != nil {
		return nil, err
	}
	if err := m.about(in.ResourceOwner, in.ResourceHandlingOption); err != nil {
		return nil, err
	}
	results, more, next, err := m.results()
	return &iam.SimulatePrincipalPolicyOutput{EvaluationResults: results, IsTruncated: more, Marker: next}, err
}

// calledBy says who calls, with the condition keys that follow from that.
func (m *simulation) calledBy(r store.Reader, arn string) error {
	a, ok := fargo.ParseARN(arn)
	kind, _, _ := strings.Cut(a.Resource, "/")
	if !ok || a.Service != "iam" {
		return iam.InvalidInputException("Invalid Entity Arn: %s does not clearly define entity type and name.", arn)
	}
	m.caller.Account, m.caller.ARNs = a.Account, []string{arn}
	m.context["aws:principalarn"], m.context["aws:principalaccount"] = []string{arn}, []string{a.Account}
	scope := fargo.Scope{Account: a.Account}
	switch kind {
	case "user":
		m.context["aws:username"], m.context["aws:principaltype"] = []string{a.Name()}, []string{string(api.UserCaller)}
		if u, ok := store.Users.Get(r, scope.Key(a.Name())); ok {
			m.context["aws:userid"] = []string{*u.User.UserId}
			m.tagged(u.User.Tags)
		}
	case "role":
		m.caller.Role, m.context["aws:principaltype"] = arn, []string{string(api.RoleCaller)}
		if role, ok := store.Roles.Get(r, scope.Key(a.Name())); ok {
			m.caller.RoleID = *role.Role.RoleId
			m.tagged(role.Role.Tags)
		}
	}
	return nil
}

func (m *simulation) tagged(tags []iam.Tag) {
	for _, t := range tags {
		m.context["aws:principaltag/"+strings.ToLower(*t.Key)] = []string{*t.Value}
	}
}

// attach takes the policies of the principal.
func (m *simulation) attach(p *sourcePolicies) {
	var policies []policy.Policy
	for _, source := range p.all {
		policies = parsed(policies, source.name, source.text)
		m.documents[source.name] = source.text
	}
	m.caller.Identity = policy.NewSet(policies...)
	if p.boundary != "" {
		m.caller.Boundary = policy.NewSet(parsed(nil, boundaryName, p.boundary)...)
		m.documents[boundaryName] = p.boundary
	}
}

// The names of policies that a call brings along.
const (
	boundaryName = "PermissionsBoundaryPolicyInputList.1"
	resourceName = "ResourcePolicy"
)

// input takes what both operations have.
func (m *simulation) input(policies, boundaries []string, resource *string, entries []iam.ContextEntry) error {
	if err := m.add(policies); err != nil {
		return err
	}
	if len(boundaries) > 1 {
		return iam.InvalidInputException("Only one permissions boundary can be simulated.")
	}
	for _, text := range boundaries {
		p, err := m.parse(boundaryName, text)
		if err != nil {
			return err
		}
		m.caller.Boundary = policy.NewSet(p)
	}
	if resource != nil {
		if len(m.caller.ARNs) == 0 {
			return iam.InvalidInputException("Invalid caller - Caller cannot be null or empty.")
		}
		if m.caller.Role != "" {
			return iam.InvalidInputException("Simulation of resource-based policies isn't supported for IAM roles.")
		}
		p, err := m.parse(resourceName, *resource)
		if err != nil {
			return err
		}
		m.resource = policy.NewSet(p)
	}
	for _, e := range entries {
		m.context[strings.ToLower(aws.Value(e.ContextKeyName))] = e.ContextKeyValues
	}
	return nil
}

// organized takes the service control policies of an organization, level by level.
func (m *simulation) organized(levels []iam.OrderedOrganizationPolicyType) error {
	for i, level := range levels {
		var policies []policy.Policy
		for j, text := range level.ServiceControlPolicyInputList {
			p, err := m.parse(fmt.Sprintf("OrderedOrganizationPolicyInputList.%d.%d", i+1, j+1), text)
			if err != nil {
				return err
			}
			policies = append(policies, p)
		}
		m.caller.Organization = append(m.caller.Organization, policy.NewSet(policies...))
	}
	m.organizations = m.organizations || len(levels) > 0
	return nil
}

// about takes what a call says of the resources.
func (m *simulation) about(owner, option *string) error {
	if err := m.ownedBy(owner); err != nil {
		return err
	}
	return m.checkScenario(option)
}

// add takes further policies into the simulation.
func (m *simulation) add(texts []string) error {
	var more []policy.Policy
	for i, text := range texts {
		p, err := m.parse("PolicyInputList."+strconv.Itoa(i+1), text)
		if err != nil {
			return err
		}
		more = append(more, p)
	}
	m.caller.Identity = m.caller.Identity.With(more...)
	return nil
}

func (m *simulation) parse(name, text string) (policy.Policy, error) {
	d, err := policy.Parse(text)
	if err != nil {
		return policy.Policy{}, iam.InvalidInputException("%s", err)
	}
	m.documents[name] = text
	return policy.Policy{Name: name, Document: d}, nil
}
