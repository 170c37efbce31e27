package main

import (
	"slices"
	"testing"

	"fargo/plan"
)

// TestServicesHaveNamesInVPCs: every service has the names that it is called by inside
// VPCs, and every name leads to a service.
func TestServicesHaveNamesInVPCs(t *testing.T) {
	mounted := services(dependencies{})
	for _, m := range mounted {
		if !slices.ContainsFunc(plan.EndpointServices, func(s plan.EndpointService) bool { return s.API == m.Service.Name }) {
			t.Errorf("plan.EndpointServices has no row for %s", m.Service.Name)
		}
	}
	for _, s := range plan.EndpointServices {
		served := false
		for _, m := range mounted {
			served = served || m.Service.Name == s.API
		}
		if served != (len(s.Names) > 0) {
			t.Errorf("%q %q is served: %v; its names: %v", s.API, s.Name, served, s.Names)
		}
		if s.Gateway == (s.API != "") {
			t.Errorf("%s has gateway endpoints, and is served by %q", s.Name, s.API)
		}
	}
}
