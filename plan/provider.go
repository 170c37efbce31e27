package plan

import (
	"math"

	"fargo/aws"
	"fargo/aws/ecs"
)

// SpreadProviders chooses a capacity provider for each of count tasks, none of
// which is there yet.
func SpreadProviders(strategy []ecs.CapacityProviderStrategyItem, count int) []string {
	out := make([]string, count)
	have := map[string]int{}
	for i := range out {
		out[i] = NextProvider(strategy, have)
		have[out[i]]++
	}
	return out
}

// NextProvider chooses the capacity provider of one more task, when have tells
// how many each has: bases first, then the provider that is furthest behind its
// share by weight. A strategy without items has no provider, "".
// Source: ECS API, CapacityProviderStrategyItem.
func NextProvider(strategy []ecs.CapacityProviderStrategyItem, have map[string]int) string {
	best := -1
	for i, item := range strategy {
		if have[*item.CapacityProvider] < int(aws.Value(item.Base)) {
			return *item.CapacityProvider
		}
		w := weight(strategy, i)
		// beyond/weight is the smallest where a task is most due.
		if w > 0 && (best < 0 || beyond(strategy, have, i)*weight(strategy, best) < beyond(strategy, have, best)*w) {
			best = i
		}
	}
	if best < 0 {
		return ""
	}
	return *strategy[best].CapacityProvider
}

// Excess tells how far beyond its share a provider has gone with the last of its
// tasks, to be compared with the others': where it is the largest, NextProvider
// would have put a task last. It is infinite for a provider that should have
// none, and negative while it has no more than its base.
// Source: ECS API, CapacityProviderStrategyItem.
func Excess(strategy []ecs.CapacityProviderStrategyItem, have map[string]int, provider string) float64 {
	for i, item := range strategy {
		if *item.CapacityProvider != provider {
			continue
		}
		if n := beyond(strategy, have, i); n > 0 {
			return float64(n-1) / float64(weight(strategy, i))
		}
		return -1
	}
	return math.Inf(1)
}

// beyond is how many tasks a provider has more than its base.
func beyond(strategy []ecs.CapacityProviderStrategyItem, have map[string]int, i int) int {
	return max(0, have[*strategy[i].CapacityProvider]-int(aws.Value(strategy[i].Base)))
}

// weight of an item. The only item of a strategy needs none: the rule that one
// must be above 0 is for several.
func weight(strategy []ecs.CapacityProviderStrategyItem, i int) int {
	if len(strategy) == 1 {
		return 1
	}
	return int(aws.Value(strategy[i].Weight))
}
