package forward

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"fargo"
	"fargo/aws/protocol"
)

// Message is what is sent to a queue of SQS.
type Message struct {
	Body       string
	Attributes map[string]string // of type String
	GroupID    string            // for FIFO queues; empty for none
	ID         string            // that FIFO queues know repetitions by
}

// maxAnswer is how much of an answer of SQS is read, in bytes.
const maxAnswer = 64 << 10

// SendMessage sends a message to a queue by its ARN. Whose queues the other side has is
// its own matter: the queue is asked for by name. Errors of SQS are [protocol.Error].
// Source: SQS API reference, GetQueueUrl and SendMessage.
func (s *Services) SendMessage(ctx context.Context, queue fargo.ARN, m Message) error {
	var found struct {
		QueueUrl string //nolint:revive,staticcheck // SQS's name
	}
	if err := s.sqs(ctx, queue.Region, "GetQueueUrl", map[string]any{"QueueName": queue.Resource}, &found); err != nil {
		return err
	}
	in := map[string]any{"QueueUrl": found.QueueUrl, "MessageBody": m.Body}
	if len(m.Attributes) > 0 {
		attributes := map[string]any{}
		for name, value := range m.Attributes {
			attributes[name] = map[string]string{"DataType": "String", "StringValue": value}
		}
		in["MessageAttributes"] = attributes
	}
	if m.GroupID != "" {
		in["MessageGroupId"], in["MessageDeduplicationId"] = m.GroupID, m.ID
	}
	return s.sqs(ctx, queue.Region, "SendMessage", in, &struct{}{})
}

// sqs calls SQS.
func (s *Services) sqs(ctx context.Context, region, operation string, in map[string]any, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("call sqs: %w", err)
	}
	answer, err := s.call(ctx, "sqs", region, operation, body)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("call sqs: %w", err)
	}
	if answer.StatusCode == http.StatusOK {
		if err := json.Unmarshal(text, out); err != nil {
			return fmt.Errorf("answer of sqs: %w", err)
		}
		return nil
	}
	var refused struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(text, &refused); err != nil || refused.Type == "" || answer.StatusCode >= 500 {
		return fmt.Errorf("call sqs: status %s", answer.Status)
	}
	return protocol.Errorf(refused.Type[strings.LastIndexByte(refused.Type, '#')+1:], "%s", refused.Message).WithStatus(answer.StatusCode)
}
