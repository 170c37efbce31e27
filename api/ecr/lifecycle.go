package ecr

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"fargo/aws/ecr"
	"fargo/record"
)

// PutLifecyclePolicy keeps the rules by which images should expire.
func (s *Server) PutLifecyclePolicy(ctx context.Context, in *ecr.PutLifecyclePolicyInput) (*ecr.PutLifecyclePolicyOutput, error) {
	if err := checkLifecycle(*in.LifecyclePolicyText); err != nil {
		return nil, ecr.InvalidParameterException("Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: %v'", err)
	}
	r, err := s.change(ctx, in.RegistryId, in.RepositoryName, func(r *record.Repository) error {
		r.LifecyclePolicy = *in.LifecyclePolicyText
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.PutLifecyclePolicyOutput{RegistryId: r.Repository.RegistryId, RepositoryName: r.Repository.RepositoryName, LifecyclePolicyText: &r.LifecyclePolicy}, nil
}

func lifecycleNotFound(r *record.Repository) error {
	return ecr.LifecyclePolicyNotFoundException("Lifecycle policy does not exist for the repository with name '%s' in the registry with id '%s'", r.Name(), r.Scope.Account)
}

// GetLifecyclePolicy shows a repository's lifecycle policy.
func (s *Server) GetLifecyclePolicy(ctx context.Context, in *ecr.GetLifecyclePolicyInput) (*ecr.GetLifecyclePolicyOutput, error) {
	_, r, err := s.view(ctx, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if r.LifecyclePolicy == "" {
		return nil, lifecycleNotFound(r)
	}
	return &ecr.GetLifecyclePolicyOutput{RegistryId: r.Repository.RegistryId, RepositoryName: r.Repository.RepositoryName, LifecyclePolicyText: &r.LifecyclePolicy}, nil
}

// DeleteLifecyclePolicy removes a repository's lifecycle policy.
func (s *Server) DeleteLifecyclePolicy(ctx context.Context, in *ecr.DeleteLifecyclePolicyInput) (*ecr.DeleteLifecyclePolicyOutput, error) {
	var old string
	r, err := s.change(ctx, in.RegistryId, in.RepositoryName, func(r *record.Repository) error {
		if r.LifecyclePolicy == "" {
			return lifecycleNotFound(r)
		}
		old, r.LifecyclePolicy = r.LifecyclePolicy, ""
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.DeleteLifecyclePolicyOutput{RegistryId: r.Repository.RegistryId, RepositoryName: r.Repository.RepositoryName, LifecyclePolicyText: &old}, nil
}

// lifecycle is a lifecycle policy.
// Source: ECR user guide, "Lifecycle policy properties in Amazon ECR".
type lifecycle struct {
	Rules []lifecycleRule `json:"rules"`
}

type lifecycleRule struct {
	RulePriority int    `json:"rulePriority"`
	Description  string `json:"description"`
	Selection    struct {
		TagStatus      string   `json:"tagStatus"`
		TagPrefixList  []string `json:"tagPrefixList"`
		TagPatternList []string `json:"tagPatternList"`
		CountType      string   `json:"countType"`
		CountUnit      string   `json:"countUnit"`
		CountNumber    int      `json:"countNumber"`
	} `json:"selection"`
	Action struct {
		Type string `json:"type"`
	} `json:"action"`
}

func checkLifecycle(policy string) error {
	var p lifecycle
	d := json.NewDecoder(strings.NewReader(policy))
	d.DisallowUnknownFields()
	if d.Decode(&p) != nil {
		return fmt.Errorf("the text is not JSON of a lifecycle policy")
	}
	if len(p.Rules) == 0 {
		return fmt.Errorf("there must be at least one rule")
	}
	seen := map[int]bool{}
	for _, r := range p.Rules {
		if seen[r.RulePriority] {
			return fmt.Errorf("rulePriority %d is used twice", r.RulePriority)
		}
		seen[r.RulePriority] = true
		if err := r.check(); err != nil {
			return fmt.Errorf("rule %d: %w", r.RulePriority, err)
		}
	}
	return nil
}

func (r *lifecycleRule) check() error {
	sel := r.Selection
	patterns := len(sel.TagPrefixList) + len(sel.TagPatternList)
	switch {
	case r.RulePriority < 1:
		return fmt.Errorf("rulePriority must be at least 1")
	case r.Action.Type != "expire":
		return fmt.Errorf("action type '%s' is not supported", r.Action.Type)
	case sel.TagStatus != "tagged" && sel.TagStatus != "untagged" && sel.TagStatus != "any":
		return fmt.Errorf("tagStatus must be one of tagged, untagged, any")
	case sel.TagStatus == "tagged" && patterns == 0:
		return fmt.Errorf("tagPrefixList or tagPatternList is required when tagStatus is tagged")
	case sel.TagStatus != "tagged" && patterns > 0:
		return fmt.Errorf("tagPrefixList and tagPatternList are only allowed when tagStatus is tagged")
	case sel.CountNumber < 1:
		return fmt.Errorf("countNumber must be at least 1")
	case sel.CountType == "imageCountMoreThan" && sel.CountUnit != "":
		return fmt.Errorf("countUnit is not allowed with imageCountMoreThan")
	case sel.CountType == "sinceImagePushed" && sel.CountUnit != "days":
		return fmt.Errorf("countUnit must be days with sinceImagePushed")
	case sel.CountType != "imageCountMoreThan" && sel.CountType != "sinceImagePushed":
		return fmt.Errorf("countType must be one of imageCountMoreThan, sinceImagePushed")
	}
	return nil
}
