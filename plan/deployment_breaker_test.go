package plan

import (
	"testing"

	"pgregory.net/rapid"

	"fargo/aws/ecs"
)

// drawBreaker gives the service any threshold and any way of counting.
func (r *serviceSim) drawBreaker(t *rapid.T) {
	b := *r.service.Service.DeploymentConfiguration.DeploymentCircuitBreaker
	if rapid.Bool().Draw(t, "configured") {
		kind := rapid.SampledFrom([]ecs.ThresholdType{ecs.ThresholdTypeCount, ecs.ThresholdTypeBoundedPercent, ecs.ThresholdTypeUnboundedPercent}).Draw(t, "type")
		most := 100
		if kind == ecs.ThresholdTypeCount {
			most = 20
		}
		b.ThresholdConfiguration = &ecs.ThresholdConfiguration{Type: kind, Value: new(int32(rapid.IntRange(1, most).Draw(t, "value")))}
		b.ResetOnHealthyTask = new(rapid.Bool().Draw(t, "reset"))
	}
	r.service.Service.DeploymentConfiguration.DeploymentCircuitBreaker = &b
}

// The examples of the ECS developer guide, "How the Amazon ECS deployment circuit
// breaker detects failures", and of the ECS API, ThresholdType. That none of no
// tasks is one failure is our own rule.
func TestBreakerThreshold(t *testing.T) {
	for _, c := range []struct {
		kind                 ecs.ThresholdType
		value, desired, want int
	}{
		{"", 0, 0, 3},
		{"", 0, 1, 3},
		{"", 0, 25, 13},
		{"", 0, 400, 200},
		{"", 0, 800, 200},
		{ecs.ThresholdTypeBoundedPercent, 50, 25, 13},
		{ecs.ThresholdTypeBoundedPercent, 1, 800, 8},
		{ecs.ThresholdTypeBoundedPercent, 10, 25, 3},
		{ecs.ThresholdTypeBoundedPercent, 100, 300, 200},
		{ecs.ThresholdTypeUnboundedPercent, 50, 800, 400},
		{ecs.ThresholdTypeUnboundedPercent, 50, 25, 13},
		{ecs.ThresholdTypeUnboundedPercent, 1, 1, 1},
		{ecs.ThresholdTypeUnboundedPercent, 50, 0, 1},
		{ecs.ThresholdTypeCount, 1, 800, 1},
		{ecs.ThresholdTypeCount, 700, 1, 700},
	} {
		b := &ecs.DeploymentCircuitBreaker{Enable: new(true), Rollback: new(false)}
		if c.kind != "" {
			b.ThresholdConfiguration = &ecs.ThresholdConfiguration{Type: c.kind, Value: new(int32(c.value))}
		}
		if got, on := Breaker(&ecs.DeploymentConfiguration{DeploymentCircuitBreaker: b}, c.desired); !on || got != c.want {
			t.Errorf("%s %d of %d tasks: %d, want %d", c.kind, c.value, c.desired, got, c.want)
		}
	}
	off := &ecs.DeploymentConfiguration{DeploymentCircuitBreaker: &ecs.DeploymentCircuitBreaker{Enable: new(false), Rollback: new(false)}}
	if got, on := Breaker(off, 1); on {
		t.Errorf("a breaker that is off: %d", got)
	}
}
