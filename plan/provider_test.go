package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"

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
