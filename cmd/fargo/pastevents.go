package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"fargo"
	"fargo/aws/logs"
)

// pastEvent is an event as the history gives it.
type pastEvent struct {
	EventID   string
	Timestamp int64  // milliseconds since the epoch
	Message   string // the event, in JSON
}

// historyQuery selects events.
type historyQuery struct {
	since  time.Time
	bus    string // "" for all
	filter string // a filter pattern of CloudWatch Logs, "" for none
}

// history calls each with what a query finds, the oldest first.
func (c *client) history(ctx context.Context, q historyQuery, each func(pastEvent) error) error {
	in := map[string]any{"logGroupName": historyGroup, "startTime": q.since.UnixMilli()}
	if q.bus != "" {
		in["logStreamNames"] = []string{q.bus}
	}
	if q.filter != "" {
		in["filterPattern"] = q.filter
	}
	for {
		var out struct {
			Events    []pastEvent
			NextToken string
		}
		if err := c.call(ctx, &logs.API, "FilterLogEvents", in, &out); err != nil {
			if refused := (*callError)(nil); errors.As(err, &refused) && refused.code == "ResourceNotFoundException" {
				return nil // there was no event yet
			}
			return err
		}
		for _, e := range out.Events {
			if err := each(e); err != nil {
				return err
			}
		}
		if out.NextToken == "" {
			return nil
		}
		in["nextToken"] = out.NextToken
	}
}

// resourceOf is the part of an ARN that differs within an account and a region, and the
// whole of anything else.
func resourceOf(arn string) string {
	if a, ok := fargo.ParseARN(arn); ok {
		return a.Resource
	}
	return arn
}

// taskName is a task's cluster and id, which its ARN ends with.
func taskName(arn string) string { return strings.TrimPrefix(resourceOf(arn), "task/") }

// definitionName is a task definition's family and revision.
func definitionName(arn string) string {
	return strings.TrimPrefix(resourceOf(arn), "task-definition/")
}
