package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/signal"
	"syscall"
	"time"

	"fargo"
	"fargo/plan"
)

// eventsCommand prints the history of events, which has every event of every bus, also
// those that no rule matches.
type eventsCommand struct {
	dataDir
	Region string        `default:"${region}" help:"The buses' region (${default})."`
	Bus    string        `help:"Only the events of this bus."`
	Since  time.Duration `default:"1h" help:"How far back to begin (${default}). Events are kept for seven days."`
	Follow bool          `short:"f" help:"Go on with those that come."`
	JSON   bool          `name:"json" help:"Print each event whole, as targets get it."`
}

// followInterval is how often new events are asked for, and followOverlap how much later
// than it happened an event may be stored and still be printed.
const (
	followInterval = time.Second
	followOverlap  = 30 * time.Second
)

// Run prints them, the newest last.
func (c *eventsCommand) Run(ctx context.Context, std *stdio) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	api, err := newClient(c.DataDir, c.Region)
	if err != nil {
		return err
	}
	tick := time.NewTicker(followInterval)
	defer tick.Stop()
	q := historyQuery{bus: c.Bus, since: time.Now().Add(-c.Since)}
	var printed map[string]bool // of the events that may be found again
	for {
		began := time.Now()
		if printed, err = c.printNew(ctx, std.out, api, q, printed); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if !c.Follow {
			return nil
		}
		if again := began.Add(-followOverlap); again.After(q.since) {
			q.since = again
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// printNew prints what a query finds and has not been printed, and gives the ids of all
// that it finds.
func (c *eventsCommand) printNew(ctx context.Context, w io.Writer, api *client, q historyQuery, printed map[string]bool) (map[string]bool, error) {
	found := map[string]bool{}
	err := api.history(ctx, q, func(e pastEvent) error {
		found[e.EventID] = true
		if printed[e.EventID] {
			return nil
		}
		line := e.Message
		if !c.JSON {
			line = e.line()
		}
		_, err := fmt.Fprintln(w, line)
		return err
	})
	return found, err
}

// line is an event for people: when, what, of what, and what is most worth knowing of it.
func (e *pastEvent) line() string {
	var told struct {
		DetailType string `json:"detail-type"`
		Source     string
		Resources  []string
		Detail     json.RawMessage
	}
	if json.Unmarshal([]byte(e.Message), &told) != nil {
		return e.Message // whoever may write logs has put it there
	}
	line := time.UnixMilli(e.Timestamp).UTC().Format("2006-01-02T15:04:05.000Z") + "  "
	if told.Source != plan.ECSEventSource {
		line += told.Source + " "
	}
	line += told.DetailType
	for _, arn := range told.Resources {
		line += "  " + resourceOf(arn)
	}
	return line + "  " + gist(told.Source, told.Detail)
}

// gist is what is most worth knowing of an event's detail: all of it, where ECS has not
// sent it.
func gist(source string, detail json.RawMessage) string {
	var d struct{ LastStatus, DesiredStatus, StopCode, StoppedReason, EventName, Reason string }
	if source != plan.ECSEventSource || json.Unmarshal(detail, &d) != nil {
		return string(detail)
	}
	text := d.LastStatus + d.EventName
	if stopped := string(fargo.TaskStopped); d.DesiredStatus == stopped && d.LastStatus != stopped {
		text += ", to be STOPPED"
	}
	if reason := d.Reason + d.StoppedReason; reason != "" {
		text += ": " + reason
	}
	return text
}
