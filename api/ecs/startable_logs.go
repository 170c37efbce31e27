package ecs

import (
	"regexp"
	"slices"
	"strconv"

	"fargo/aws/ecs"
	"fargo/plan"
)

// logModes are the ways of handing output on. Source: ECS API, LogConfiguration.
var logModes = []string{"blocking", "non-blocking"}

// ofLogs reads the values of log options. Output is taken apart by the pattern, and
// one that cannot be read would join nothing.
func ofLogs(c *ecs.ContainerDefinition) string {
	if c.LogConfiguration == nil || c.LogConfiguration.LogDriver == ecs.LogDriverSplunk {
		return ""
	}
	o := c.LogConfiguration.Options
	if mode, given := o["mode"]; given && !slices.Contains(logModes, mode) {
		return of(c, "the log option mode is neither of %v.", logModes)
	}
	if size, given := o["max-buffer-size"]; given {
		if _, ok := plan.ParseBufferSize(size); !ok {
			return of(c, "the log option max-buffer-size is no size.")
		}
	}
	if c.LogConfiguration.LogDriver == ecs.LogDriverAwsfirelens {
		return ofBufferLimit(c)
	}
	const pattern, format = "awslogs-multiline-pattern", "awslogs-datetime-format"
	if _, err := regexp.Compile(o[pattern]); err != nil {
		return of(c, "the log option %s is no regular expression (RE2): %v.", pattern, err)
	}
	if o[pattern] != "" && o[format] != "" {
		return of(c, "the log options %s and %s exclude each other.", pattern, format)
	}
	if create, given := o["awslogs-create-group"]; given {
		if _, err := strconv.ParseBool(create); err != nil {
			return of(c, "the log option awslogs-create-group is neither true nor false.")
		}
	}
	return ""
}

// maxBufferLimit is the most of log-driver-buffer-limit, in bytes.
// Source: ECS API, LogConfiguration.
const maxBufferLimit = 536_870_912

func ofBufferLimit(c *ecs.ContainerDefinition) string {
	limit, given := c.LogConfiguration.Options["log-driver-buffer-limit"]
	if n, err := strconv.ParseInt(limit, 10, 64); given && (err != nil || n < 0 || n > maxBufferLimit) {
		return of(c, "the log option log-driver-buffer-limit is no number of bytes up to %d.", maxBufferLimit)
	}
	return ""
}

// ofOutputs are the outputs of a log router, in the words of ECS's agent, which finds it
// when a task starts.
// Source: amazon-ecs-agent, firelensconfig_unix.go.
func ofOutputs(d *ecs.TaskDefinition) string {
	router := plan.FirelensRouter(d)
	if router == nil {
		return ""
	}
	for _, c := range d.ContainerDefinitions {
		if l := c.LogConfiguration; l != nil && l.LogDriver == ecs.LogDriverAwsfirelens && !plan.FirelensOutputNamed(router, l) {
			f := router.FirelensConfiguration
			return of(&c, "missing output key %s which is required for firelens configuration of type %s", plan.FirelensOutputKey(f.Type), f.Type)
		}
	}
	return ""
}
