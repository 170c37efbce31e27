package plan

import (
	"regexp"
	"strconv"
	"strings"

	"fargo/aws/ecs"
	"fargo/desired"
)

// Options of every log driver about what is not delivered yet.
// Source: ECS API, LogConfiguration.
const (
	logMode       = "mode"
	logBufferSize = "max-buffer-size"
)

// defaultLogBuffer is how much output waits at most when a definition does not say.
// Source: ECS API, LogConfiguration, max-buffer-size.
const defaultLogBuffer = 10 << 20

// logBuffer bounds the output of a container that waits to be delivered. blocking is what
// the account has chosen for containers whose definition has no mode. A container that
// blocks has the same buffer, and waits when it is full.
func logBuffer(l *ecs.LogConfiguration, blocking bool) *desired.LogBuffer {
	b := desired.LogBuffer{Limit: defaultLogBuffer, Blocking: blocking}
	if n, ok := ParseBufferSize(l.Options[logBufferSize]); ok {
		b.Limit = n
	}
	if n, err := strconv.ParseInt(l.Options[firelensBufferLimit], 10, 64); err == nil && l.LogDriver == ecs.LogDriverAwsfirelens {
		b.Limit = n
	}
	if mode, given := l.Options[logMode]; given {
		b.Blocking = mode == "blocking"
	}
	return &b
}

// bufferSize is a number with a unit. Source: Docker's documentation, "Configure logging
// drivers", max-buffer-size.
var bufferSize = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) ?([kKmMgGtTpP])?(?:[iI]?[bB])?$`)

// ParseBufferSize reads a size of the log drivers in bytes: "10m" are ten times 1024 KiB.
func ParseBufferSize(s string) (bytes int64, ok bool) {
	parts := bufferSize.FindStringSubmatch(s)
	if parts == nil {
		return 0, false
	}
	n, err := strconv.ParseFloat(parts[1], 64)
	if err != nil {
		return 0, false
	}
	for range strings.Index(" kmgtp", strings.ToLower(parts[2] + " ")[:1]) {
		n *= 1024
	}
	return int64(min(n, 1<<62)), true
}
