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
	if c.LogConfiguration == nil || c.LogConfiguration.LogDriver != ecs.LogDriverAwslogs {
		return ""
	}
	const pattern, format = "awslogs-multiline-pattern", "awslogs-datetime-format"
	o := c.LogConfiguration.Options
	if _, err := regexp.Compile(o[pattern]); err != nil {
		return of(c, "the log option %s is no regular expression (RE2): %v.", pattern, err)
	}
	if o[pattern] != "" && o[format] != "" {
		return of(c, "the log options %s and %s exclude each other.", pattern, format)
	}
	if mode, given := o["mode"]; given && !slices.Contains(logModes, mode) {
		return of(c, "the log option mode is neither of %v.", logModes)
	}
	if size, given := o["max-buffer-size"]; given {
		if _, ok := plan.ParseBufferSize(size); !ok {
			return of(c, "the log option max-buffer-size is no size.")
		}
	}
	if create, given := o["awslogs-create-group"]; given {
		if _, err := strconv.ParseBool(create); err != nil {
			return of(c, "the log option awslogs-create-group is neither true nor false.")
		}
	}
	return ""
}
