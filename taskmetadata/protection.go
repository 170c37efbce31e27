package taskmetadata

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"fargo"
	"fargo/aws/sigv4"
	"fargo/host"
)

const (
	// protectionTimeout is how long ECS may take to answer.
	protectionTimeout = 4 * time.Second
	// maxProtection is the size, in bytes, of the largest request and answer.
	maxProtection = 64 << 10
)

// protection is the answer about a task's protection: exactly one of Protection, Failure
// and Error is set.
// Source: ECS developer guide, "Amazon ECS task scale-in protection endpoint";
// amazon-ecs-agent, of errors.
type protection struct {
	RequestID  string           `json:"requestID,omitempty"`
	Protection *protectedTask   `json:"protection,omitempty"`
	Failure    *failure         `json:"failure,omitempty"`
	Error      *protectionError `json:"error,omitempty"`
}

type protectedTask struct {
	ExpirationDate    *time.Time
	ProtectionEnabled bool
	TaskARN           string `json:"TaskArn"`
}

type failure struct {
	ARN    string `json:"Arn"`
	Detail *string
	Reason string
}

type protectionError struct {
	ARN     string `json:"Arn,omitempty"`
	Code    string
	Message string
}

func refuseProtection(w http.ResponseWriter, status int, arn, code, message string) {
	write(w, status, protection{Error: &protectionError{arn, code, message}})
}

func (s *Server) getProtection(w http.ResponseWriter, r *http.Request, t *host.Task) {
	if containerIndex(t, r.PathValue("id")) < 0 {
		refuseUnknown(w)
		return
	}
	s.callProtection(w, r, t, "GetTaskProtection", map[string]any{})
}

func (s *Server) updateProtection(w http.ResponseWriter, r *http.Request, t *host.Task) {
	var in struct {
		ProtectionEnabled *bool
		ExpiresInMinutes  *int64
	}
	decoder := json.NewDecoder(io.LimitReader(r.Body, maxProtection))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&in) != nil {
		refuseProtection(w, http.StatusBadRequest, "", "InvalidParameterException", "UpdateTaskProtection: failed to decode request")
		return
	}
	switch {
	case containerIndex(t, r.PathValue("id")) < 0:
		refuseUnknown(w)
	case in.ProtectionEnabled == nil:
		refuseProtection(w, http.StatusBadRequest, t.Assignment.TaskARN, "InvalidParameterException", "Invalid request: does not contain 'ProtectionEnabled' field")
	default:
		members := map[string]any{"protectionEnabled": *in.ProtectionEnabled}
		if in.ExpiresInMinutes != nil {
			members["expiresInMinutes"] = *in.ExpiresInMinutes
		}
		s.callProtection(w, r, t, "UpdateTaskProtection", members)
	}
}

func refuseUnknown(w http.ResponseWriter) {
	refuseProtection(w, http.StatusNotFound, "", "ResourceNotFoundException", "Failed to find a task for the request")
}

// callProtection asks ECS with the credentials of the task's role, whose permissions
// decide.
func (s *Server) callProtection(w http.ResponseWriter, r *http.Request, t *host.Task, operation string, members map[string]any) {
	arn := t.Assignment.TaskARN
	if t.CredentialsID == "" {
		refuseProtection(w, http.StatusForbidden, arn, "AccessDeniedException", "Invalid Request: no task IAM role credentials available for task")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), protectionTimeout)
	defer cancel()
	members["cluster"], members["tasks"] = t.Assignment.Cluster, []string{arn}
	status, answer, err := s.callECS(ctx, t, operation, members)
	switch {
	case err == nil:
		write(w, status, answer)
	case errors.Is(err, context.DeadlineExceeded):
		refuseProtection(w, http.StatusGatewayTimeout, arn, "RequestCanceled", "Timed out calling ECS Task Protection API")
	default:
		s.cfg.Logger.Debug("ECS does not answer", "task", arn, "err", err)
		refuseProtection(w, http.StatusInternalServerError, arn, "ServerException", "Unexpected error occurred")
	}
}

// callECS calls an operation of ECS on a task for the task itself.
func (s *Server) callECS(ctx context.Context, t *host.Task, operation string, members map[string]any) (int, *protection, error) {
	credentials, err := s.cfg.Tasks.Credentials(ctx, t)
	if err != nil {
		return 0, nil, err
	}
	body, err := json.Marshal(members)
	if err != nil {
		return 0, nil, err
	}
	upstream := s.upstream.Load()
	if upstream == nil || *upstream == "" {
		return 0, nil, errors.New("the APIs cannot be reached from here")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(*upstream, "/")+"/", bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113."+operation)
	task, _ := fargo.ParseARN(t.Assignment.TaskARN)
	sigv4.Sign(r, body, sigv4.Credentials{
		AccessKeyID: credentials.AccessKeyID, Secret: credentials.SecretAccessKey.Reveal(), Token: credentials.Token.Reveal(),
	}, task.Region, "ecs", time.Now())
	answer, err := s.client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	return readProtection(answer, t.Assignment.TaskARN)
}

// readProtection takes in what ECS has answered.
func readProtection(answer *http.Response, arn string) (int, *protection, error) {
	var out struct {
		ProtectedTasks []struct {
			ExpirationDate    *float64 // seconds
			ProtectionEnabled bool
			TaskARN           string `json:"taskArn"`
		}
		Failures []failure
		Type     string `json:"__type"`
		Message  string
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxProtection)).Decode(&out); err != nil {
		return 0, nil, fmt.Errorf("answer of ECS: %w", err)
	}
	p := &protection{}
	switch {
	case answer.StatusCode != http.StatusOK:
		p.RequestID = answer.Header.Get("X-Amzn-RequestId")
		p.Error = &protectionError{arn, out.Type[strings.LastIndexByte(out.Type, '#')+1:], out.Message}
	case len(out.Failures) > 0:
		p.Failure = &out.Failures[0]
	case len(out.ProtectedTasks) != 1:
		return 0, nil, errors.New("answer of ECS: it is not about one task")
	default:
		of := out.ProtectedTasks[0]
		p.Protection = &protectedTask{ProtectionEnabled: of.ProtectionEnabled, TaskARN: of.TaskARN}
		if of.ExpirationDate != nil {
			p.Protection.ExpirationDate = new(time.UnixMilli(int64(*of.ExpirationDate * 1000)).UTC())
		}
	}
	return answer.StatusCode, p, nil
}
