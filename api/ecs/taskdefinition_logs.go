package ecs

import (
	"maps"
	"slices"
	"strings"

	"fargo/aws"
	"fargo/aws/ecs"
)

// fargateDrivers are the log drivers Fargate takes, in the order AWS names them.
var fargateDrivers = []ecs.LogDriver{ecs.LogDriverAwslogs, ecs.LogDriverSplunk, ecs.LogDriverAwsfirelens}

// Options of the driver awslogs that must be there, in the order AWS names them, and
// the others that may.
// Source: ECS API, LogConfiguration; ECS developer guide, "Send Amazon ECS logs to
// CloudWatch".
var (
	requiredLogOptions = []string{"awslogs-region", "awslogs-group"}
	optionalLogOptions = []string{
		"awslogs-stream-prefix", "awslogs-create-group", "awslogs-datetime-format", "awslogs-multiline-pattern",
		"awslogs-endpoint", "mode", "max-buffer-size",
	}
)

// checkLogs holds the rules of output, wherever a task runs.
func checkLogs(d *ecs.TaskDefinition) error {
	routed, router := false, false
	for _, c := range d.ContainerDefinitions {
		router = router || c.FirelensConfiguration != nil
		if uid, _, _ := strings.Cut(aws.Value(c.User), ":"); c.FirelensConfiguration != nil && c.User != nil && uid != "0" {
			return refuse("If 'user' field is specified on firelens container, then 'UID' has to be '0'.")
		}
		if c.LogConfiguration == nil {
			continue
		}
		routed = routed || c.LogConfiguration.LogDriver == ecs.LogDriverAwsfirelens
		if err := checkLogOptions(c.LogConfiguration); err != nil {
			return err
		}
	}
	switch {
	case routed && !router:
		return refuse("When awsfirelens log driver is specified in log configuration, a firelens configuration object must be configured in one of the containers.")
	case router && !routed:
		return refuse("When a firelensConfiguration object is specified, at least one container has to be configured with the awsfirelens log driver.")
	}
	return nil
}

func checkLogOptions(l *ecs.LogConfiguration) error {
	if l.LogDriver != ecs.LogDriverAwslogs {
		return nil
	}
	var missing, unknown []string
	for _, name := range requiredLogOptions {
		if l.Options[name] == "" {
			missing = append(missing, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.Options)) {
		if !slices.Contains(requiredLogOptions, name) && !slices.Contains(optionalLogOptions, name) {
			unknown = append(unknown, name)
		}
	}
	switch {
	case len(missing) > 0:
		return refuse("Log driver awslogs requires options: %s", strings.Join(missing, ", "))
	case len(unknown) > 0:
		return refuse("Log driver awslogs disallows options: %s", strings.Join(unknown, ", "))
	}
	return nil
}

func checkFargateLogs(d *ecs.TaskDefinition, c *ecs.ContainerDefinition) error {
	if f := c.FirelensConfiguration; f != nil && f.Options["config-file-type"] == "s3" {
		return refuse("Fargate launch type does not support FirelensConfiguration config file from 's3'")
	}
	l := c.LogConfiguration
	switch {
	case l == nil:
		return nil
	case !slices.Contains(fargateDrivers, l.LogDriver):
		names := make([]string, len(fargateDrivers))
		for i, n := range fargateDrivers {
			names[i] = string(n)
		}
		return refuse("%s is not a valid log driver. Must be one of [%s]", l.LogDriver, strings.Join(names, ", "))
	case l.LogDriver != ecs.LogDriverAwslogs:
		return nil
	case l.Options["awslogs-stream-prefix"] == "":
		return refuse("Fargate requires log configuration options to include awslogs-stream-prefix to support log driver awslogs.")
	case d.ExecutionRoleArn == nil:
		return refuse("Fargate requires task definition to have execution role ARN to support log driver awslogs.")
	}
	return nil
}
