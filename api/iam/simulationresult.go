package iam

import (
	"fmt"
	"slices"
	"strings"

	"fargo/aws/iam"
	"fargo/aws/protocol"
	"fargo/policy"
)

// results are one for each action; those of a page are evaluated.
func (m *simulation) results() ([]iam.EvaluationResult, *bool, *string, error) {
	for _, action := range m.actions {
		if service, name, ok := strings.Cut(action, ":"); !ok || service == "" || name == "" {
			return nil, nil, nil, protocol.Errorf("ValidationError", "Invalid action name: %s", action)
		}
	}
	if len(m.resources) == 0 {
		m.resources = []string{"*"}
	}
	numbered := func(yield func(int) bool) {
		for i := range m.actions {
			if !yield(i) {
				return
			}
		}
	}
	numbers, more, next, err := pageOf(m.asked, numbered, func(i int) string { return fmt.Sprintf("%08d", i) })
	if err != nil {
		return nil, nil, nil, err
	}
	results := []iam.EvaluationResult{}
	for _, i := range numbers {
		results = append(results, m.result(m.actions[i]))
	}
	return results, more, next, nil
}

// result evaluates one action on all resources. Of all decisions it tells the strictest.
func (m *simulation) result(action string) iam.EvaluationResult {
	out := iam.EvaluationResult{
		EvalActionName: &action, EvalResourceName: new("*"), EvalDecision: iam.PolicyEvaluationDecisionTypeAllowed,
		MatchedStatements: []iam.Statement{}, MissingContextValues: []string{}, ResourceSpecificResults: []iam.ResourceSpecificResult{},
		EvalDecisionDetails: map[string]iam.PolicyEvaluationDecisionType{},
	}
	if len(m.resources) == 1 {
		out.EvalResourceName = &m.resources[0]
	}
	if m.organizations {
		out.OrganizationsDecisionDetail = &iam.OrganizationsDecisionDetail{AllowedByOrganizations: new(true)}
	}
	for _, resource := range m.resources {
		one, organization := m.on(action, resource)
		if !organization {
			out.OrganizationsDecisionDetail.AllowedByOrganizations = new(false)
		}
		out.EvalDecision = stricter(out.EvalDecision, one.EvalResourceDecision)
		out.PermissionsBoundaryDecisionDetail = narrower(out.PermissionsBoundaryDecisionDetail, one.PermissionsBoundaryDecisionDetail)
		for _, s := range one.MatchedStatements {
			if !slices.ContainsFunc(out.MatchedStatements, func(o iam.Statement) bool {
				return *o.SourcePolicyId == *s.SourcePolicyId && *o.StartPosition.Line == *s.StartPosition.Line && *o.StartPosition.Column == *s.StartPosition.Column
			}) {
				out.MatchedStatements = append(out.MatchedStatements, s)
			}
		}
		for _, key := range one.MissingContextValues {
			if !slices.Contains(out.MissingContextValues, key) {
				out.MissingContextValues = append(out.MissingContextValues, key)
			}
		}
		if resource != "*" {
			out.ResourceSpecificResults = append(out.ResourceSpecificResults, one)
		}
	}
	return out
}

// on evaluates an action on one resource; organization tells whether the service control
// policies allow it.
func (m *simulation) on(action, resource string) (out iam.ResourceSpecificResult, organization bool) {
	s := policy.Simulate(m.caller, action, policy.Resource{ARN: resource, Account: m.owner, Policies: m.resource}, m.context)
	out = iam.ResourceSpecificResult{
		EvalResourceName: &resource, EvalResourceDecision: simulated[s.Effect],
		MatchedStatements: []iam.Statement{}, MissingContextValues: append([]string{}, s.Missing...),
	}
	if s.WithinBoundary != nil {
		out.PermissionsBoundaryDecisionDetail = &iam.PermissionsBoundaryDecisionDetail{AllowedByPermissionsBoundary: s.WithinBoundary}
	}
	for _, match := range s.Matched {
		first, last := policy.Positions(m.documents[match.Policy], match.Place())
		out.MatchedStatements = append(out.MatchedStatements, iam.Statement{
			SourcePolicyId: &match.Policy, SourcePolicyType: sourceType,
			StartPosition: positionOf(first), EndPosition: positionOf(last),
		})
	}
	return out, s.WithinOrganization == nil || *s.WithinOrganization
}

// sourceType is what AWS calls every source, which the model's enumeration does not have.
// Source: recorded.
const sourceType = "IAM Policy"

func positionOf(p policy.Position) *iam.Position {
	return &iam.Position{Line: new(int32(p.Line)), Column: new(int32(p.Column))}
}

var simulated = map[policy.Effect]iam.PolicyEvaluationDecisionType{
	policy.Allow: iam.PolicyEvaluationDecisionTypeAllowed, policy.ExplicitDeny: iam.PolicyEvaluationDecisionTypeExplicitDeny,
	policy.ImplicitDeny: iam.PolicyEvaluationDecisionTypeImplicitDeny,
}

// strictness orders decisions.
var strictness = []iam.PolicyEvaluationDecisionType{
	iam.PolicyEvaluationDecisionTypeAllowed, iam.PolicyEvaluationDecisionTypeImplicitDeny, iam.PolicyEvaluationDecisionTypeExplicitDeny,
}

func stricter(a, b iam.PolicyEvaluationDecisionType) iam.PolicyEvaluationDecisionType {
	return strictness[max(slices.Index(strictness, a), slices.Index(strictness, b))]
}

// narrower is the detail of two that allows less.
func narrower(a, b *iam.PermissionsBoundaryDecisionDetail) *iam.PermissionsBoundaryDecisionDetail {
	if a == nil || b != nil && !*b.AllowedByPermissionsBoundary {
		return b
	}
	return a
}
