package routing

import (
	"fmt"
	"sync/atomic"

	"fargo/desired"
)

// Rule is a rule compiled.
type Rule struct {
	arn, Priority string
	conditions    []condition
	Transform     *Transform
	Action        Action
}

// IsDefault reports whether it is a listener's last rule.
func (r *Rule) IsDefault() bool { return r.Priority == "default" }

// Match reports whether a request meets all conditions.
func (r *Rule) Match(q *Request) bool {
	for _, c := range r.conditions {
		if !c(q) {
			return false
		}
	}
	return true
}

// Compile reads a rule. Where a condition or a transform cannot be read there is no
// rule, only the error. Groups that are not known are an error too, but there is a
// rule that names them. turn counts the rule's turns.
func Compile(r *desired.BalancerRule, known func(group string) bool, turn *atomic.Uint64) (*Rule, error) {
	compiled := &Rule{arn: r.ARN, Priority: r.Priority}
	for i := range r.Conditions {
		c, err := compileCondition(&r.Conditions[i])
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.ARN, err)
		}
		compiled.conditions = append(compiled.conditions, c)
	}
	var err error
	if compiled.Transform, err = compileTransform(r.Transforms); err != nil {
		return nil, fmt.Errorf("rule %s: %w", r.ARN, err)
	}
	if compiled.Action, err = compileAction(r.Actions, known, turn); err != nil {
		err = fmt.Errorf("rule %s: %w", r.ARN, err)
	}
	return compiled, err
}
