package plan

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fargo/aws/ecs"
)

// The module's example: base 2 on FARGATE, the rest 1 to 3.
func TestSpreadProviders(t *testing.T) {
	strategy := []ecs.CapacityProviderStrategyItem{
		{CapacityProvider: new("FARGATE"), Weight: new(int32(1)), Base: new(int32(2))},
		{CapacityProvider: new("FARGATE_SPOT"), Weight: new(int32(3))},
	}
	counts := map[string]int{}
	for _, p := range SpreadProviders(strategy, 10) {
		counts[p]++
	}
	if d := cmp.Diff(map[string]int{"FARGATE": 4, "FARGATE_SPOT": 6}, counts); d != "" {
		t.Error(d)
	}
	if got := SpreadProviders(strategy[1:], 2); got[1] != "FARGATE_SPOT" {
		t.Error(got)
	}
}

// Taking tasks away undoes adding them: as many as are left are shared as if
// there had never been more.
func TestExcess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var strategy []ecs.CapacityProviderStrategyItem
		for _, name := range []string{"FARGATE", "FARGATE_SPOT", "other"}[:rapid.IntRange(1, 3).Draw(t, "providers")] {
			strategy = append(strategy, ecs.CapacityProviderStrategyItem{
				CapacityProvider: &name, Weight: new(int32(rapid.IntRange(0, 5).Draw(t, "weight"))),
			})
		}
		strategy[0].Base = new(int32(rapid.IntRange(0, 4).Draw(t, "base")))
		strategy[len(strategy)-1].Weight = new(int32(2)) // one must have some
		have := map[string]int{}
		for _, p := range SpreadProviders(strategy, 40) {
			have[p]++
		}
		for n := 39; n > 0; n-- {
			last := strategy[0].CapacityProvider
			for _, item := range strategy {
				if have[*item.CapacityProvider] > 0 && Excess(strategy, have, *item.CapacityProvider) >= Excess(strategy, have, *last) {
					last = item.CapacityProvider
				}
			}
			have[*last]--
			want := map[string]int{}
			for _, p := range SpreadProviders(strategy, n) {
				want[p]++
			}
			for _, item := range strategy {
				if p := *item.CapacityProvider; have[p] != want[p] {
					t.Fatalf("%d tasks are left on %v instead of %v", n, have, want)
				}
			}
		}
	})
	if e := Excess(nil, map[string]int{"gone": 1}, "gone"); !math.IsInf(e, 1) {
		t.Errorf("a provider that the strategy does not name exceeds by %v", e)
	}
}
