package ecr

import (
	"strings"

	"fargo/aws/ecr"
	"fargo/plan"
	"fargo/record"
)

// movable reports whether a tag that is on one image of the repository may be
// put on another.
// Source: ECR user guide, "Preventing image tags from being overwritten".
func movable(r *record.Repository, tag string) bool {
	excluded := false
	for _, f := range r.Repository.ImageTagMutabilityExclusionFilters {
		excluded = excluded || plan.MatchesTagPattern(*f.Filter, tag)
	}
	switch r.Repository.ImageTagMutability {
	case ecr.ImageTagMutabilityImmutable:
		return false
	case ecr.ImageTagMutabilityImmutableWithExclusion:
		return excluded
	case ecr.ImageTagMutabilityMutableWithExclusion:
		return !excluded
	}
	return true
}

func wildcards(pattern string) int { return strings.Count(pattern, "*") }
