package ecs

import (
	"strings"

	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/plan"
)

// checkEnvironmentFiles refuses environment files that no task could be given.
// Source: ECS developer guide, "Pass an environment variable to a container".
func checkEnvironmentFiles(d *ecs.TaskDefinition) error {
	n := 0
	for _, c := range d.ContainerDefinitions {
		for _, f := range c.EnvironmentFiles {
			if err := checkEnvironmentFile(f); err != nil {
				return err
			}
			n++
		}
	}
	switch {
	case n > plan.MaxEnvironmentFiles:
		return refuse("A task definition can contain a maximum of %d environment files.", plan.MaxEnvironmentFiles)
	case n > 0 && d.ExecutionRoleArn == nil:
		return refuse("When you are specifying environment files, you must also specify a value for 'executionRoleArn'.")
	}
	return nil
}

func checkEnvironmentFile(f ecs.EnvironmentFile) error {
	value := aws.Value(f.Value)
	_, key, ok := plan.EnvironmentFileObject(value)
	switch {
	case !ok:
		return refuse("Invalid arn syntax.")
	case !strings.HasSuffix(key, ".env"):
		return refuse("The environment file %s does not have the extension .env.", value)
	}
	return nil
}
