package iam

import (
	"slices"
	"strings"

	"fargo"
	"fargo/aws/iam"
)

// scenarios are the kinds of resources that a simulation of RunInstances must name.
// Source: IAM API, SimulateCustomPolicy.
var scenarios = map[string][]string{
	"EC2-VPC-InstanceStore":        {"instance", "image", "security-group", "network-interface"},
	"EC2-VPC-InstanceStore-Subnet": {"instance", "image", "security-group", "network-interface", "subnet"},
	"EC2-VPC-EBS":                  {"instance", "image", "security-group", "network-interface", "volume"},
	"EC2-VPC-EBS-Subnet":           {"instance", "image", "security-group", "network-interface", "subnet", "volume"},
}

// checkScenario refuses a simulation that does not name the resources of its scenario.
func (m *simulation) checkScenario(option *string) error {
	if option == nil {
		return nil
	}
	kinds, ok := scenarios[*option]
	if !ok {
		return iam.InvalidInputException("The resource handling option %s is not valid.", *option)
	}
	for _, kind := range kinds {
		if !slices.ContainsFunc(m.resources, func(arn string) bool {
			a, ok := fargo.ParseARN(arn)
			return ok && a.Service == "ec2" && strings.HasPrefix(a.Resource, kind+"/")
		}) {
			return iam.InvalidInputException("The resource handling option %s needs a resource of the type %s.", *option, kind)
		}
	}
	return nil
}

// ownedBy says whose the resources are whose ARNs do not say that.
func (m *simulation) ownedBy(owner *string) error {
	if owner == nil {
		return nil
	}
	a, ok := fargo.ParseARN(*owner)
	if !ok || a.Service != "iam" || a.Resource != "root" || a.Account == "" {
		return iam.InvalidInputException("The resource owner %s is not valid.", *owner)
	}
	m.owner = a.Account
	return nil
}
