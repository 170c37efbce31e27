package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// LifecyclePolicy says which images of an ECR repository expire or are archived.
// Source: ECR user guide, "Lifecycle policy properties in Amazon ECR".
type LifecyclePolicy struct {
	Rules []LifecycleRule `json:"rules"`
}

// LifecycleRule is one rule of a policy; those of the lowest priority number come
// first.
type LifecycleRule struct {
	RulePriority int32              `json:"rulePriority"`
	Selection    LifecycleSelection `json:"selection"`
	Action       LifecycleRuleType  `json:"action"`
}

// LifecycleSelection says which images a rule is about.
type LifecycleSelection struct {
	TagStatus      string   `json:"tagStatus"` // "tagged", "untagged" or "any"
	TagPrefixList  []string `json:"tagPrefixList"`
	TagPatternList []string `json:"tagPatternList"` // each * stands for any characters
	StorageClass   string   `json:"storageClass"`   // "standard", also when empty, or "archive"
	CountType      string   `json:"countType"`      // "imageCountMoreThan", "sinceImagePushed", …
	CountUnit      string   `json:"countUnit"`      // "days"
	CountNumber    int64    `json:"countNumber"`    // images or days
}

// LifecycleRuleType is what a rule does with images.
type LifecycleRuleType struct {
	Type               string `json:"type"` // "expire" or "transition"
	TargetStorageClass string `json:"targetStorageClass"`
}

// ParseLifecyclePolicy reads a policy that has been checked when it was put. Its
// rules are in the order in which they are applied.
func ParseLifecyclePolicy(text string) (LifecyclePolicy, error) {
	var p LifecyclePolicy
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return p, fmt.Errorf("read lifecycle policy: %w", err)
	}
	slices.SortStableFunc(p.Rules, func(a, b LifecycleRule) int { return int(a.RulePriority) - int(b.RulePriority) })
	return p, nil
}

// Archive reports whether the rule selects archived images, and not those that can be
// pulled.
func (s *LifecycleSelection) Archive() bool { return s.StorageClass == "archive" }

// matchesTags reports whether an image with these tags meets the rule's requirements.
// Of a list, every entry must match one of the image's tags.
func (s *LifecycleSelection) matchesTags(tags []string) bool {
	switch s.TagStatus {
	case "any":
		return true
	case "untagged":
		return len(tags) == 0
	}
	for _, prefix := range s.TagPrefixList {
		if !slices.ContainsFunc(tags, func(tag string) bool { return strings.HasPrefix(tag, prefix) }) {
			return false
		}
	}
	for _, pattern := range s.TagPatternList {
		if !slices.ContainsFunc(tags, func(tag string) bool { return MatchesTagPattern(pattern, tag) }) {
			return false
		}
	}
	return len(tags) > 0
}

// MatchesTagPattern reports whether a tag is what a pattern says, in which each *
// stands for any characters, or none.
func MatchesTagPattern(pattern, tag string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == tag
	}
	first, last := parts[0], parts[len(parts)-1]
	tag, ok := strings.CutPrefix(tag, first)
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(tag, part)
		if i < 0 {
			return false
		}
		tag = tag[i+len(part):]
	}
	return strings.HasSuffix(tag, last)
}
