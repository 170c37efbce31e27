package ecr

import (
	"fmt"
	"slices"
	"strings"

	"fargo/aws/ecr"
	"fargo/plan"
)

// maxWildcards bounds the wildcards of a tag pattern; minArchived the days that an
// image stays in the archive at least.
// Source: ECR user guide, "Lifecycle policy properties in Amazon ECR" and
// "Archiving an image".
const (
	maxWildcards = 4
	minArchived  = 90
)

// badLifecycle begins every text, and a quote ends it.
const badLifecycle = "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: "

// checkLifecycle refuses a lifecycle policy that is not one: first by its form, then
// by what its rules mean together.
func checkLifecycle(text string) error {
	if found := checkLifecycleForm(text); len(found) > 0 {
		return ecr.InvalidParameterException(badLifecycle+"%s'", strings.Join(found, "\n"))
	}
	p, err := plan.ParseLifecyclePolicy(text)
	if err != nil {
		return errLifecycleJSON
	}
	for i := range p.Rules {
		if err := checkLifecycleRule(&p.Rules[i]); err != nil {
			return err
		}
	}
	return checkLifecycleRules(p.Rules)
}

var errLifecycleJSON = ecr.InvalidParameterException(badLifecycle + notLifecycle + "'")

// checkLifecycleRule refuses a rule whose parts do not go together.
func checkLifecycleRule(r *plan.LifecycleRule) error {
	sel := &r.Selection
	lists := len(sel.TagPrefixList) + len(sel.TagPatternList)
	switch {
	case sel.TagStatus == "tagged" && lists == 0:
		return ecr.InvalidParameterException(badLifecycle + "Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.'")
	case sel.TagStatus != "tagged" && lists > 0:
		return ecr.InvalidParameterException(badLifecycle + "tagPrefixList and tagPatternList can only be specified when tagStatus=TAGGED.'")
	case len(sel.TagPrefixList) > 0 && len(sel.TagPatternList) > 0:
		return ecr.InvalidParameterException(badLifecycle + "A rule can specify tagPrefixList or tagPatternList, but not both.'")
	case slices.ContainsFunc(sel.TagPatternList, func(p string) bool { return wildcards(p) > maxWildcards }):
		return ecr.InvalidParameterException(badLifecycle + "A tag pattern can contain a maximum of four wildcards (*).'")
	case sel.CountType == "sinceImagePulled" && r.Action.Type == "expire":
		return ecr.InvalidParameterException(badLifecycle + "countType sinceImagePulled can only be used with the action transition.'")
	case sel.Archive() && r.Action.Type == "transition":
		return ecr.InvalidParameterException(badLifecycle + "countType sinceImageTransitioned can only be used with the action expire.'")
	case sel.Archive() && sel.CountNumber < minArchived:
		return ecr.InvalidParameterException(badLifecycle + "Images must be in the archive for 90 days before they expire.'")
	}
	return nil
}

// checkLifecycleRules refuses rules, in order of priority, of which two are about the
// same images.
// Source: ECR user guide, "Lifecycle policy evaluation rules".
func checkLifecycleRules(rules []plan.LifecycleRule) error {
	seen, anyTag := map[string]bool{}, map[bool]bool{}
	for i := range rules {
		sel := &rules[i].Selection
		class := sel.Archive()
		switch {
		case i > 0 && rules[i-1].RulePriority == rules[i].RulePriority:
			return ecr.InvalidParameterException(badLifecycle + "Rule priorities must be unique.'")
		case anyTag[class]:
			return ecr.InvalidParameterException(badLifecycle + "Rule for tagStatus=ANY must have the lowest priority per storage class.'")
		}
		anyTag[class] = sel.TagStatus == "any"
		key := fmt.Sprintf("%v %s %q %q", class, sel.TagStatus, sorted(sel.TagPrefixList), sorted(sel.TagPatternList))
		if seen[key] && sel.TagStatus == "untagged" {
			return ecr.InvalidParameterException(badLifecycle + "Only one rule can select Untagged images per storage class.'")
		}
		if seen[key] {
			return ecr.InvalidParameterException(badLifecycle + "Only one rule can select the same tags per storage class.'")
		}
		seen[key] = true
	}
	return nil
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }
