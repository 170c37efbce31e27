package ecs

import (
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/plan"
)

// platform gives the platform version that a user means.
func platform(given *string) (string, error) {
	version, ok := plan.ResolvePlatform(aws.Value(given))
	if !ok {
		return "", ecs.PlatformUnknownException("The specified platform does not exist.")
	}
	return version, nil
}

// platformFor sees that it has what tasks of a definition ask for.
func platformFor(given *string, d *ecs.TaskDefinition) (string, error) {
	version, err := platform(given)
	if err == nil && !plan.OnPlatform(version, d) {
		return "", ecs.PlatformTaskDefinitionIncompatibilityException("One or more of the requested capabilities are not supported.")
	}
	return version, err
}
