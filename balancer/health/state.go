package health

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"fargo/aws/elbv2"
)

// targetState is what is known of a target. Its zero value is a target that was
// never checked.
type targetState struct {
	state       elbv2.TargetHealthStateEnum // "", initial, healthy, unhealthy, unavailable
	reason      elbv2.TargetHealthReasonEnum
	description string
	// run counts the checks in a row that said the opposite of state; for a
	// target that is not known yet, those that failed.
	run int
}

// thresholds are the checks in a row that change a target's state.
type thresholds struct {
	healthy, unhealthy int
	// drain is how long a target that was healthy is unhealthy.draining first: it
	// gets no new connections, but keeps those it has.
	drain time.Duration
}

// outcome is what one check found. Its zero is a pass.
type outcome struct {
	reason      elbv2.TargetHealthReasonEnum
	description string
}

// Outcomes and their descriptions, as DescribeTargetHealth shows them.
var (
	passed   = outcome{}
	timedOut = outcome{elbv2.TargetHealthReasonEnumTargetTimeout, "Request timed out"}
	failed   = outcome{elbv2.TargetHealthReasonEnumTargetFailedHealthChecks, "Health checks failed"}
)

// mismatched is a check that was answered with a code that does not match.
func mismatched(code int) outcome {
	return outcome{elbv2.TargetHealthReasonEnumTargetResponseCodeMismatch, fmt.Sprintf("Health checks failed with these codes: [%d]", code)}
}

// initial is a target whose first checks failed, though too few to tell.
var initial = targetState{
	state:       elbv2.TargetHealthStateEnumInitial,
	reason:      elbv2.TargetHealthReasonEnumElbInitialHealthChecking,
	description: "Initial health checks in progress",
}

// unchecked is a target of a group whose checks are off. It gets requests.
var unchecked = targetState{
	state:       elbv2.TargetHealthStateEnumUnavailable,
	reason:      elbv2.TargetHealthReasonEnumTargetHealthCheckDisabled,
	description: "Health checks are disabled",
}

// after is the state that follows from one more check.
// Source: ALB user guide, "Target health status": a new target is healthy after
// one pass; otherwise the thresholds decide.
func (h targetState) after(o outcome, t thresholds) targetState {
	known := h.known()
	if o == passed {
		switch {
		case !known:
			return targetState{state: elbv2.TargetHealthStateEnumHealthy}
		case h.state == elbv2.TargetHealthStateEnumHealthy:
			h.run = 0
			return h
		}
		if h.run++; h.run >= t.healthy {
			return targetState{state: elbv2.TargetHealthStateEnumHealthy}
		}
		return h
	}
	unhealthy := targetState{state: elbv2.TargetHealthStateEnumUnhealthy, reason: o.reason, description: o.description}
	switch {
	case Unhealthy(h.state):
		unhealthy.state = h.state
		return unhealthy // for the reason seen last
	case h.state == elbv2.TargetHealthStateEnumHealthy && t.drain > 0:
		unhealthy.state = elbv2.TargetHealthStateEnumUnhealthyDraining
	}
	run := h.run + 1
	if run >= t.unhealthy {
		return unhealthy
	}
	if !known {
		h = initial
	}
	h.run = run
	return h
}

// known reports whether enough checks have said what state a target is in.
func (h targetState) known() bool {
	return h.state == elbv2.TargetHealthStateEnumHealthy || Unhealthy(h.state)
}

// Unhealthy reports whether a target in a state is unhealthy, draining or not.
func Unhealthy(state elbv2.TargetHealthStateEnum) bool {
	return state == elbv2.TargetHealthStateEnumUnhealthy || state == elbv2.TargetHealthStateEnumUnhealthyDraining
}

func (h targetState) draining() bool { return h.state == elbv2.TargetHealthStateEnumUnhealthyDraining }

// drained is a target whose time as unhealthy.draining is over.
func (h targetState) drained() targetState {
	if h.draining() {
		h.state = elbv2.TargetHealthStateEnumUnhealthy
	}
	return h
}

// Routable reports whether a target in a state may get requests while others may
// too.
func Routable(state elbv2.TargetHealthStateEnum) bool {
	return state == elbv2.TargetHealthStateEnumHealthy || state == elbv2.TargetHealthStateEnumUnavailable
}

// codes is a set of answer codes: "200", "200,302", "200-299".
type codes []struct{ from, to int }

func parseCodes(s string) (codes, error) {
	var c codes
	for part := range strings.SplitSeq(s, ",") {
		low, high, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			high = low
		}
		from, err := strconv.Atoi(low)
		if err != nil {
			return nil, fmt.Errorf("matcher %q: %w", s, err)
		}
		to, err := strconv.Atoi(high)
		if err != nil {
			return nil, fmt.Errorf("matcher %q: %w", s, err)
		}
		if from > to {
			return nil, fmt.Errorf("matcher %q: %d is after %d", s, from, to)
		}
		c = append(c, struct{ from, to int }{from, to})
	}
	return c, nil
}

func (c codes) match(code int) bool {
	for _, r := range c {
		if r.from <= code && code <= r.to {
			return true
		}
	}
	return false
}
