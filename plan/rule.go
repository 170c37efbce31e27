package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"fargo/aws"
	"fargo/aws/elbv2"
	"fargo/record"
)

// DefaultPriority is the priority of a listener's default rule.
const DefaultPriority = "default"

// RuleARN is the name of a listener's rule with the given id.
func RuleARN(listener, id string) string {
	return strings.Replace(listener, ":listener/", ":listener-rule/", 1) + "/" + id
}

// DefaultRuleARN is the name of a listener's default rule, which lives in the
// listener itself: its id follows from the listener's.
func DefaultRuleARN(listener string) string {
	sum := sha256.Sum256([]byte(listener))
	return RuleARN(listener, hex.EncodeToString(sum[:8]))
}

// ListenerOfRule is the ARN of the listener that a rule's ARN speaks of; ok is
// false for what is no rule's.
func ListenerOfRule(rule string) (listener string, ok bool) {
	end := strings.LastIndexByte(rule, '/')
	if end < 0 || !strings.Contains(rule, ":listener-rule/") {
		return "", false
	}
	return strings.Replace(rule[:end], ":listener-rule/", ":listener/", 1), true
}

// Rules are a listener's rules as they are tried: by priority, the default one
// last.
func Rules(l *record.ELBListener, rules []*record.ELBRule) []elbv2.Rule {
	rules = slices.SortedFunc(slices.Values(rules), func(a, b *record.ELBRule) int { return a.Priority - b.Priority })
	out := make([]elbv2.Rule, 0, len(rules)+1)
	for _, r := range rules {
		shape := r.Rule
		shape.Priority = new(strconv.Itoa(r.Priority))
		out = append(out, shape)
	}
	return append(out, elbv2.Rule{
		RuleArn: new(DefaultRuleARN(l.Key())), Priority: new(DefaultPriority), IsDefault: new(true),
		Conditions: []elbv2.RuleCondition{}, Actions: l.Listener.DefaultActions, Transforms: []elbv2.RuleTransform{},
	})
}

// InOrder are actions in the order in which they are carried out.
func InOrder(actions []elbv2.Action) []elbv2.Action {
	return slices.SortedStableFunc(slices.Values(actions), func(a, b elbv2.Action) int {
		return int(aws.Value(a.Order)) - int(aws.Value(b.Order))
	})
}
