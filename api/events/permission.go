package events

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"fargo"
	"fargo/aws"
	"fargo/aws/events"
	"fargo/policy"
	"fargo/record"
)

// maxPolicy is how long the policy of a bus may be.
// Source: EventBridge API, PutPermission.
const maxPolicy = 10 << 10

// A busPolicy is the policy of a bus. Its statements stay as they were given.
type busPolicy struct {
	Version   string
	Statement []json.RawMessage
}

// PutPermission gives a bus a policy, or its policy another statement.
func (s *Server) PutPermission(ctx context.Context, in *events.PutPermissionInput) (*events.PutPermissionOutput, error) {
	return &events.PutPermissionOutput{}, s.changeBus(ctx, in.EventBusName, func(b *record.EventBus) error {
		text, err := permitted(b, in)
		if err != nil {
			return err
		}
		if len(text) > maxPolicy {
			return events.PolicyLengthExceededException("The policy is longer than %d characters.", maxPolicy)
		}
		b.Bus.Policy, b.Bus.LastModifiedTime = &text, new(now())
		return nil
	})
}

// permitted is the policy that a bus gets.
func permitted(b *record.EventBus, in *events.PutPermissionInput) (string, error) {
	if in.Policy != nil {
		if in.Action != nil || in.Principal != nil || in.StatementId != nil || in.Condition != nil {
			return "", invalid("Policy can't be specified together with Action, Principal, StatementId or Condition.")
		}
		if _, err := policy.Parse(*in.Policy); err != nil {
			return "", invalid("Invalid policy: %s", err)
		}
		return *in.Policy, nil
	}
	if in.Action == nil || in.Principal == nil || in.StatementId == nil {
		return "", invalid("Action, Principal and StatementId, or Policy, must be specified.")
	}
	if *in.Action != "events:PutEvents" {
		return "", invalid("Provided value in parameter 'action' is not supported.")
	}
	p, err := readPolicy(b)
	if err != nil {
		return "", err
	}
	added, err := statementOf(b, in)
	if err != nil {
		return "", err
	}
	if i := p.find(*in.StatementId); i >= 0 {
		p.Statement[i] = added
	} else {
		p.Statement = append(p.Statement, added)
	}
	return p.text()
}

// statementOf is the statement that a call describes (recorded).
func statementOf(b *record.EventBus, in *events.PutPermissionInput) (json.RawMessage, error) {
	var principal any = *in.Principal
	if principal != "*" {
		principal = map[string]string{"AWS": fargo.Scope{Account: *in.Principal}.ARN("iam", "root")}
	}
	statement := struct {
		Sid, Effect string
		Principal   any
		Action      string
		Resource    string
		Condition   map[string]map[string]string `json:",omitempty"`
	}{*in.StatementId, "Allow", principal, *in.Action, *b.Bus.Arn, nil}
	if c := in.Condition; c != nil {
		statement.Condition = map[string]map[string]string{*c.Type: {*c.Key: *c.Value}}
	}
	text, err := json.Marshal(statement)
	if err != nil {
		return nil, fmt.Errorf("write a statement: %w", err)
	}
	return text, nil
}

func readPolicy(b *record.EventBus) (*busPolicy, error) {
	p := &busPolicy{Version: "2012-10-17"}
	text := aws.Value(b.Bus.Policy)
	if text == "" {
		return p, nil
	}
	if err := json.Unmarshal([]byte(text), p); err != nil { // one statement need not be a list
		var single struct{ Statement json.RawMessage }
		if err := json.Unmarshal([]byte(text), &single); err != nil {
			return nil, fmt.Errorf("read the policy of %s: %w", *b.Bus.Arn, err)
		}
		p.Statement = []json.RawMessage{single.Statement}
	}
	return p, nil
}

func (p *busPolicy) text() (string, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("write a policy: %w", err)
	}
	return string(text), nil
}

// find is the place of the statement with an id, -1 for none.
func (p *busPolicy) find(id string) int {
	return slices.IndexFunc(p.Statement, func(text json.RawMessage) bool {
		var s struct{ Sid string }
		return json.Unmarshal(text, &s) == nil && s.Sid == id
	})
}

// RemovePermission takes a statement, or all, from the policy of a bus.
func (s *Server) RemovePermission(ctx context.Context, in *events.RemovePermissionInput) (*events.RemovePermissionOutput, error) {
	return &events.RemovePermissionOutput{}, s.changeBus(ctx, in.EventBusName, func(b *record.EventBus) error {
		if aws.Value(in.RemoveAllPermissions) {
			b.Bus.Policy, b.Bus.LastModifiedTime = nil, new(now())
			return nil
		}
		p, err := readPolicy(b)
		if err != nil {
			return err
		}
		i := p.find(aws.Value(in.StatementId))
		if i < 0 || in.StatementId == nil {
			return events.ResourceNotFoundException("Statement with the provided id does not exist.")
		}
		p.Statement = slices.Delete(p.Statement, i, i+1)
		b.Bus.Policy, b.Bus.LastModifiedTime = nil, new(now())
		if len(p.Statement) == 0 {
			return nil
		}
		text, err := p.text()
		b.Bus.Policy = &text
		return err
	})
}
