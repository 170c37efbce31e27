package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"fargo/aws/cloudwatch"
)

// TestAlarmRule runs scenarios: a rule, and for which states of the alarms a, b and c, each
// OK or in ALARM, it holds. i is always without data.
func TestAlarmRule(t *testing.T) {
	scenarios(t, "testdata/alarmrule", func() func(*testing.T, string) string {
		return func(_ *testing.T, text string) string {
			rule, err := ParseAlarmRule(text)
			if err != nil {
				return err.Error()
			}
			out := []string{fmt.Sprintf("%d elements, alarms %s", rule.Elements, strings.Join(rule.Alarms, " "))}
			var holds []string
			for in := range 8 {
				names := ""
				for i, name := range []string{"a", "b", "c"} {
					if in&(1<<i) != 0 {
						names += name
					}
				}
				if rule.Holds(func(alarm string) cloudwatch.StateValue {
					switch {
					case alarm == "i":
						return cloudwatch.StateValueInsufficientData
					case strings.Contains(names, alarm):
						return cloudwatch.StateValueAlarm
					}
					return cloudwatch.StateValueOk
				}) {
					holds = append(holds, "{"+names+"}")
				}
			}
			if holds == nil {
				holds = []string{"nothing"}
			}
			return strings.Join(append(out, "holds for "+strings.Join(holds, " ")), "\n")
		}
	})
}

// FuzzAlarmRule: what is read has alarms with names, and evaluates; other texts are refused
// with the one error.
func FuzzAlarmRule(f *testing.F) {
	for _, text := range []string{`ALARM("a b") AND (OK(x) OR NOT INSUFFICIENT_DATA("y\"z"))`, `AT_LEAST(50%, NOT OK, (a, b))`, "NOT NOT TRUE", "((FALSE))"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rule, err := ParseAlarmRule(text)
		if err != nil {
			if !errors.Is(err, ErrAlarmRule) {
				t.Fatal(err)
			}
			return
		}
		if rule.Elements == 0 || slices.Contains(rule.Alarms, "") {
			t.Fatalf("%q: %+v", text, rule)
		}
		rule.Holds(func(string) cloudwatch.StateValue { return cloudwatch.StateValueOk })
	})
}
