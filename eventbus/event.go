// Package eventbus knows what becomes of an event on a bus of EventBridge: which rules it
// matches, and what each of their targets is to be given. It does not give it to them:
// that is the business of the controllers.
package eventbus

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"fargo"
	"fargo/plan"
)

// Event is an event before it has its form in JSON.
type Event struct {
	ID         string
	Source     string
	DetailType string
	// Scope is the account and region that it comes from.
	Scope     fargo.Scope
	Time      time.Time
	Resources []string
	Detail    json.RawMessage // a JSON object
	// Forwarded is set for what comes from another bus.
	Forwarded bool
}

// document is an event as AWS has it in JSON.
type document struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       string          `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// JSON is the event in JSON, without blanks and with its members in AWS's order
// (recorded).
func (e *Event) JSON() (string, error) {
	resources := e.Resources
	if resources == nil {
		resources = []string{}
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(document{
		"0", e.ID, e.DetailType, e.Source, e.Scope.Account, plan.EventTime(e.Time), e.Scope.Region, resources, e.Detail,
	})
	if err != nil {
		return "", fmt.Errorf("write an event: %w", err)
	}
	return string(bytes.TrimSuffix(out.Bytes(), []byte("\n"))), nil
}

// ErrNoEvent says that a text is no event.
var ErrNoEvent = errors.New("not an event")

// Parse reads an event from its JSON. The error is [ErrNoEvent].
func Parse(text string) (*Event, error) {
	var d document
	if json.Unmarshal([]byte(text), &d) != nil {
		return nil, ErrNoEvent
	}
	at, err := time.Parse(time.RFC3339, d.Time)
	if err != nil {
		return nil, ErrNoEvent
	}
	return &Event{
		ID: d.ID, Source: d.Source, DetailType: d.DetailType, Scope: fargo.Scope{Account: d.Account, Region: d.Region},
		Time: at, Resources: d.Resources, Detail: d.Detail,
	}, nil
}
