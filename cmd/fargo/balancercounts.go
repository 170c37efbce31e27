package main

import (
	"context"
	"encoding/json"

	"fargo/balancer/worker"
	"fargo/desired"
)

// balancerCounts are what the load balancers of this machine count.
type balancerCounts struct{ fleet *worker.Fleet }

func (balancerCounts) since(context.Context, json.RawMessage) ([]desired.BalancerMeasurement, json.RawMessage, error) {
	return nil, nil, nil
}
