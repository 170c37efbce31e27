package health

import (
	"fmt"
	"strings"
	"testing"

	"fargo/balancer/scenariotest"
)

// TestTransitions runs scenarios: "target HEALTHY UNHEALTHY [DRAIN]" begins a target
// with these thresholds, the last in seconds; "drained" ends its draining, "pass",
// "timeout", "fail" and "code N" are checks; "codes MATCHER N…" tells which codes
// match.
func TestTransitions(t *testing.T) {
	var h targetState
	var limits thresholds
	scenariotest.Run(t, "testdata/states.txt", func(line string) string {
		var n int
		switch {
		case strings.HasPrefix(line, "target"):
			limits = thresholds{}
			fmt.Sscanf(line, "target %d %d %d", &limits.healthy, &limits.unhealthy, &limits.drain)
			h = targetState{}
			return ""
		case line == "drained":
			h = h.drained()
		case strings.HasPrefix(line, "codes"):
			words := strings.Fields(line)
			c, err := parseCodes(words[1])
			if err != nil {
				return err.Error()
			}
			answer := ""
			for _, w := range words[2:] {
				fmt.Sscan(w, &n)
				answer += fmt.Sprintf("%d:%v ", n, c.match(n))
			}
			return strings.TrimSpace(answer)
		case line == "pass":
			h = h.after(passed, limits)
		case line == "timeout":
			h = h.after(timedOut, limits)
		case line == "fail":
			h = h.after(failed, limits)
		default:
			fmt.Sscanf(line, "code %d", &n)
			h = h.after(mismatched(n), limits)
		}
		return strings.TrimSpace(fmt.Sprintf("%s %s %s", h.state, h.reason, h.description))
	})
}
