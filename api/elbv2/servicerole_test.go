package elbv2_test

import (
	"context"
	"errors"
	"testing"

	"fargo/api"
	"fargo/api/elbv2"
	wire "fargo/aws/elbv2"
	"fargo/store"
)

// Who may not make the role that the service has for itself makes no first load balancer.
func TestLoadBalancersNeedTheServiceRole(t *testing.T) {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	refused := errors.New("refused")
	server := elbv2.New(elbv2.Config{DB: db, EnsureServiceRole: func(_ context.Context, service string) error {
		if service != "elasticloadbalancing.amazonaws.com" {
			t.Errorf("asked for the role of %s", service)
		}
		return refused
	}})
	_, err = server.CreateLoadBalancer(api.WithCall(t.Context(), &api.Call{}), &wire.CreateLoadBalancerInput{Name: new("web"), Subnets: []string{"subnet-1", "subnet-2"}})
	if !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
}
