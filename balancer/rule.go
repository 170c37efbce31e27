package balancer

import (
	"fmt"
	"sync/atomic"

	"fargo/desired"
)

// rule is a rule compiled.
type rule struct {
	arn, priority string
	conditions    []condition
	transform     *transform
	action        action
}

func (r *rule) match(q *request) bool {
	for _, c := range r.conditions {
		if !c(q) {
			return false
		}
	}
	return true
}

// compileRule reads a rule. Where a condition or a transform cannot be read there is no rule,
// only the error. Groups that are not known are an error too, but there is a rule
// that names them. turn counts the rule's turns.
func compileRule(r *desired.BalancerRule, known func(group string) bool, turn *atomic.Uint64) (*rule, error) {
	compiled := &rule{arn: r.ARN, priority: r.Priority}
	for i := range r.Conditions {
		c, err := compileCondition(&r.Conditions[i])
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.ARN, err)
		}
		compiled.conditions = append(compiled.conditions, c)
	}
	var err error
	if compiled.transform, err = compileTransform(r.Transforms); err != nil {
		return nil, fmt.Errorf("rule %s: %w", r.ARN, err)
	}
	if compiled.action, err = compileAction(r.Actions, known, turn); err != nil {
		err = fmt.Errorf("rule %s: %w", r.ARN, err)
	}
	return compiled, err
}
