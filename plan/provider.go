package plan

import "fargo/aws/ecs"

// SpreadProviders chooses a capacity provider for each of count tasks: bases
// first, the rest by weight, each next task going to the provider that is
// furthest behind its share.
// Source: ECS API, CapacityProviderStrategyItem.
func SpreadProviders(strategy []ecs.CapacityProviderStrategyItem, count int) []string {
	out := make([]string, 0, count)
	for _, item := range strategy {
		for range value(item.Base) {
			if len(out) < count {
				out = append(out, *item.CapacityProvider)
			}
		}
	}
	given := make([]int, len(strategy))
	for len(out) < count {
		best := -1
		for i := range strategy {
			w := weight(strategy, i)
			// given/weight is the smallest where a task is most due.
			if w > 0 && (best < 0 || given[i]*weight(strategy, best) < given[best]*w) {
				best = i
			}
		}
		given[best]++
		out = append(out, *strategy[best].CapacityProvider)
	}
	return out
}

// weight of an item. The only item of a strategy needs none: the rule that one
// must be above 0 is for several.
func weight(strategy []ecs.CapacityProviderStrategyItem, i int) int {
	if len(strategy) == 1 {
		return 1
	}
	return int(value(strategy[i].Weight))
}
