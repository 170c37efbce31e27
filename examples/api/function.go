package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"
)

// function handles the events of a Lambda function: it says which it gets, works for as
// many seconds as the event's detail says, and fails when that says so.
type function struct{ logger *slog.Logger }

func (f function) handle(ctx context.Context, event json.RawMessage) (json.RawMessage, error) {
	var of struct {
		Detail struct {
			Seconds float64 `json:"seconds"`
			Fail    bool    `json:"fail"`
		} `json:"detail"`
	}
	if err := json.Unmarshal(event, &of); err != nil {
		return nil, err
	}
	f.logger.InfoContext(ctx, "called", "event", event)
	select {
	case <-time.After(time.Duration(of.Detail.Seconds * float64(time.Second))):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if of.Detail.Fail {
		f.logger.InfoContext(ctx, "failed")
		return nil, errors.New("the event says so")
	}
	f.logger.InfoContext(ctx, "answered")
	return event, nil
}
