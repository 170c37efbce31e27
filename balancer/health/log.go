package health

import (
	"errors"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"fargo/balancer/objectlog"
	"fargo/balancer/settings"
	"fargo/desired"
)

// result is what one check found, with what only the health check log tells.
type result struct {
	outcome
	code  string // the target's status, of HTTP or gRPC; empty when it gave none
	cause cause
}

// cause is why a check failed, as the log has it; empty for one that passed.
type cause string

// Source: ALB user guide, "Health check logs", error reason codes.
const (
	causeRequestTimedOut      cause = "RequestTimedOut"
	causeConnectionTimedOut   cause = "ConnectionTimedOut"
	causeConnectionReset      cause = "ConnectionReset"
	causeResponseCodeMismatch cause = "ResponseCodeMismatch"
	causeTargetError          cause = "TargetError"
	causeGRPCStatusEmpty      cause = "GRPCStatusHeaderEmpty"
	causeGRPCUnexpectedStatus cause = "GRPCUnexpectedStatus"
)

// answered is a check to which the target gave a code.
func (c *check) answered(code int) result {
	found := result{passed, strconv.Itoa(code), ""}
	if c.matcher.match(code) {
		return found
	}
	found.outcome = mismatched(code)
	switch {
	case c.version == settings.VersionGRPC:
		found.cause = causeGRPCUnexpectedStatus
	case code >= 500:
		found.cause = causeTargetError
	default:
		found.cause = causeResponseCodeMismatch
	}
	return found
}

// causeOf is why a check failed that was not answered in a way that could be
// understood.
func causeOf(err error) cause {
	var broken syscall.Errno
	switch {
	case errors.Is(err, errNoStatus):
		return causeGRPCStatusEmpty
	case errors.As(err, &broken), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return causeConnectionReset
	}
	return causeTargetError
}

// kind is the type of a check as the log has it.
func (c *check) kind() string {
	switch c.version {
	case settings.VersionGRPC:
		return "grpc"
	case settings.VersionHTTP2:
		return "h2"
	}
	return strings.ToLower(string(c.protocol))
}

// line is a check of a target as the log has it. began is when it did, and took
// how long it lasted.
// Source: ALB user guide, "Health check log entries".
func (c *check) line(group string, target netip.AddrPort, found result, began time.Time, took time.Duration) string {
	result := "PASS"
	if found.outcome != passed {
		result = "FAIL"
	}
	return strings.Join([]string{
		c.kind(), began.UTC().Format("2006-01-02T15:04:05.000000Z"), strconv.FormatFloat(took.Seconds(), 'f', 9, 64),
		target.String(), group, result, objectlog.OrDash(found.code), objectlog.OrDash(string(found.cause)),
	}, " ")
}

// logCheck writes a line about a check, if its group has a log. The line reaches
// the file at once.
func (c *Checker) logCheck(g *group, target netip.AddrPort, found result, began time.Time, took time.Duration) {
	if g.log == nil {
		return
	}
	err := g.log.Write(g.settings.line(g.name, target, found, began, took), began)
	if err = errors.Join(err, g.log.Flush()); err != nil {
		c.logger.Warn("health check log line lost", "group", g.arn, "error", err)
	}
}

// setLogs makes the logs that these balancers' attributes ask for the only ones.
// The caller holds mu.
func (c *Checker) setLogs(balancers []desired.Balancer) error {
	kept := make(map[string]*objectlog.Log, len(balancers))
	var errs []error
	for i := range balancers {
		d := &balancers[i]
		log := c.mu.logs[d.ARN]
		delete(c.mu.logs, d.ARN)
		next := c.logs.Log(d, objectlog.HealthChecks, "health_check_logs")
		errs = append(errs, objectlog.Replace(&log, next))
		kept[d.ARN] = log
	}
	for _, log := range c.mu.logs {
		errs = append(errs, log.Close())
	}
	c.mu.logs = kept
	return errors.Join(errs...)
}
