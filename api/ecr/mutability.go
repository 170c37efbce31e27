package ecr

import (
	"strings"

	"fargo/aws/ecr"
	"fargo/record"
)

// movable reports whether a tag that is on one image of the repository may be
// put on another.
// Source: ECR user guide, "Preventing image tags from being overwritten".
func movable(r *record.Repository, tag string) bool {
	excluded := false
	for _, f := range r.Repository.ImageTagMutabilityExclusionFilters {
		excluded = excluded || matches(*f.Filter, tag)
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

// matches reports whether s is what pattern says, in which each * stands for
// any characters, or none.
func matches(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	first, last := parts[0], parts[len(parts)-1]
	s, ok := strings.CutPrefix(s, first)
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, last)
}
