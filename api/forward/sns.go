package forward

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"fargo"
	"fargo/aws/protocol"
)

// Has reports whether a service is forwarded.
func (s *Services) Has(service string) bool { return s != nil && s.urls[service] != nil }

// Publish sends a message to a topic of SNS. Errors of SNS are [protocol.Error].
// Source: SNS API reference, Publish.
func (s *Services) Publish(ctx context.Context, topic fargo.ARN, subject, message string) error {
	if !s.Has("sns") {
		return fmt.Errorf("sns: %w", ErrNotForwarded)
	}
	form := url.Values{
		"Action": {"Publish"}, "Version": {known["sns"].APIVersion},
		"TopicArn": {topic.Scope().ARN(topic.Service, topic.Resource)}, "Subject": {subject}, "Message": {message},
	}
	body := form.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.urls["sns"].String(), strings.NewReader(body))
	if err != nil {
		return fmt.Errorf("call sns: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	answer, err := s.do(r, "sns", topic.Region, []byte(body))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("call sns: %w", err)
	}
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	var refused struct {
		Code    string `xml:"Error>Code"`
		Message string `xml:"Error>Message"`
	}
	if err := xml.Unmarshal(text, &refused); err != nil || refused.Code == "" || answer.StatusCode >= 500 {
		return fmt.Errorf("call sns: status %s", answer.Status)
	}
	return protocol.Errorf(refused.Code, "%s", refused.Message).WithStatus(answer.StatusCode)
}
