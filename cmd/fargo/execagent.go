package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/containerd/errdefs"
	"github.com/google/uuid"

	"fargo/api"
	"fargo/aws"
	"fargo/aws/kms"
	awslogs "fargo/aws/logs"
	"fargo/aws/protocol"
	"fargo/aws/s3"
	"fargo/control"
	"fargo/desired"
	"fargo/plan"
	"fargo/policy"
	"fargo/record"
	"fargo/secret"
	"fargo/store"
)

// execAgent calls CloudWatch Logs, S3 and KMS as the agent of ECS Exec does in a task: with
// the permissions of the task's role.
type execAgent struct {
	db       *store.DB
	policies control.RolePolicies
	// anyRole says that policies are not asked.
	anyRole bool
	calls   api.Calls
	logs    transcriptLogs
	buckets transcriptBuckets
	keys    keyDecrypter
}

type transcriptLogs interface {
	DescribeLogGroups(context.Context, *awslogs.DescribeLogGroupsInput) (*awslogs.DescribeLogGroupsOutput, error)
	CreateLogStream(context.Context, *awslogs.CreateLogStreamInput) (*awslogs.CreateLogStreamOutput, error)
	PutLogEvents(context.Context, *awslogs.PutLogEventsInput) (*awslogs.PutLogEventsOutput, error)
}

type transcriptBuckets interface {
	GetBucketEncryption(context.Context, *s3.GetBucketEncryptionInput) (*s3.GetBucketEncryptionOutput, error)
	PutObject(context.Context, *s3.PutObjectInput) (*s3.PutObjectOutput, error)
}

type keyDecrypter interface {
	Decrypt(context.Context, *kms.DecryptInput) (*kms.DecryptOutput, error)
}

// use finds the three among the services.
func (a *execAgent) use(services []api.Mounted) {
	for _, s := range services {
		if server, ok := s.Server.(transcriptLogs); ok {
			a.logs = server
		}
		if server, ok := s.Server.(transcriptBuckets); ok {
			a.buckets = server
		}
		if server, ok := s.Server.(keyDecrypter); ok && s.Service == &kms.API {
			a.keys = server
		}
	}
}

// channelActions are what the agent needs to be connected.
// Source: ECS developer guide, "Monitor Amazon ECS containers with ECS Exec".
var channelActions = []string{
	"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
}

// Connects implements [execsession.Agent].
func (a *execAgent) Connects(r store.Reader, t *record.Task) bool {
	session, err := control.TaskRoleSession(r, t)
	if err != nil {
		return false
	}
	caller := a.policies(session)
	for _, action := range channelActions {
		if !a.anyRole && policy.Decide(caller, action, []policy.Resource{{ARN: "*"}}, policy.Values{}).Effect != policy.Allow {
			return false
		}
	}
	return true
}

// What the agent says when it must not write what is not encrypted.
// Source: amazon-ssm-agent, session/config/config.go and session/shell/shell.go.
const (
	groupNotEncrypted  = "We couldn't start the session because encryption is not set up on the selected CloudWatch Logs log group. Either encrypt the log group or choose an option to enable logging without encryption."
	bucketNotEncrypted = "We couldn't start the session because encryption is not set up on the selected Amazon S3 bucket. Either encrypt the bucket or choose an option to enable logging without encryption."
	bucketNotValidated = "Couldn't start the session because we are unable to validate encryption on Amazon S3 bucket. Error: %v"
)

// Refuses implements [execsession.Agent]. A log group that the agent may not look at, or
// that is not there, is not encrypted for all it knows.
func (a *execAgent) Refuses(ctx context.Context, t *record.Task, l record.ExecLogging) (string, error) {
	session, err := control.TaskRoleSession(a.db.View(), t)
	if err != nil {
		return err.Error(), nil
	}
	if l.LogGroup != "" && l.LogGroupEncrypted {
		groups, err := api.CallAs(ctx, a.calls, &awslogs.API, a.call(session, awslogs.API.Name, a.logRegion(t.Scope.Region, l), "DescribeLogGroups"),
			&awslogs.DescribeLogGroupsInput{LogGroupNamePrefix: &l.LogGroup}, a.logs.DescribeLogGroups)
		if err != nil && !isRefusal(err) {
			return "", err
		}
		if err != nil || !encryptedGroup(groups.LogGroups, l.LogGroup) {
			return groupNotEncrypted, nil
		}
	}
	if l.Bucket != "" && l.BucketEncrypted {
		_, err := api.CallAs(ctx, a.calls, &s3.API, a.call(session, s3.API.Name, a.bucketRegion(t.Scope.Region, l), "GetBucketEncryption"),
			&s3.GetBucketEncryptionInput{Bucket: &l.Bucket}, a.buckets.GetBucketEncryption)
		var e *protocol.Error
		switch {
		case errors.As(err, &e) && e.Code == "ServerSideEncryptionConfigurationNotFoundError":
			return bucketNotEncrypted, nil
		case isRefusal(err):
			return fmt.Sprintf(bucketNotValidated, err), nil
		case err != nil:
			return "", err
		}
	}
	return "", nil
}

func encryptedGroup(groups []awslogs.LogGroup, name string) bool {
	for i := range groups {
		if aws.Value(groups[i].LogGroupName) == name {
			return groups[i].KmsKeyId != nil
		}
	}
	return false
}

// isRefusal tells AWS's refusals from failures of ours.
func isRefusal(err error) bool {
	var e *protocol.Error
	return errors.As(err, &e) && !e.Fault
}

// call is a call of a service by the agent, as the task's role. It came over no network, but
// counts as one that came by the task's interface.
func (a *execAgent) call(s *record.Session, service, region, operation string) *api.Call {
	c := control.Caller{Session: s, Region: region, RequestID: uuid.NewString()}
	return call(c.ByTask(a.db.View(), service), operation)
}

func (a *execAgent) logRegion(task string, l record.ExecLogging) string {
	if l.LogRegion != "" {
		return l.LogRegion
	}
	return task
}

func (a *execAgent) bucketRegion(task string, l record.ExecLogging) string {
	if b, ok := store.Buckets.Get(a.db.View(), l.Bucket); ok {
		return b.Scope.Region
	}
	return task
}

// PutExecTranscript implements [control.ExecAgent]. One place that does not take the
// transcript does not keep it from the other.
func (a *execAgent) PutExecTranscript(ctx context.Context, s *record.ExecSession, content []byte) error {
	view := a.db.View()
	t, ok := store.Tasks.Get(view, s.TaskKey())
	if !ok {
		return fmt.Errorf("the task of the session is forgotten")
	}
	session, err := control.TaskRoleSession(view, t)
	if err != nil || len(content) == 0 {
		return err
	}
	if s.Logging.LogGroup != "" {
		err = a.putLog(ctx, s, session, content)
	}
	if s.Logging.Bucket != "" {
		err = errors.Join(err, a.putObject(ctx, s, session, content))
	}
	if err != nil && !isRefusal(err) {
		return fmt.Errorf("%w: %w", errdefs.ErrUnavailable, err)
	}
	return err
}

// putLog writes the log stream with the session's name.
func (a *execAgent) putLog(ctx context.Context, s *record.ExecSession, session *record.Session, content []byte) error {
	group, region := s.Logging.LogGroup, a.logRegion(s.Scope.Region, s.Logging)
	_, err := api.CallAs(ctx, a.calls, &awslogs.API, a.call(session, awslogs.API.Name, region, "CreateLogStream"),
		&awslogs.CreateLogStreamInput{LogGroupName: &group, LogStreamName: &s.ID}, a.logs.CreateLogStream)
	var e *protocol.Error
	if errors.As(err, &e) && e.Code == "ResourceAlreadyExistsException" {
		return nil // it was written before
	}
	if err != nil {
		return err
	}
	for _, batch := range plan.TranscriptEvents(content) {
		events := make([]awslogs.InputLogEvent, len(batch))
		for i, message := range batch {
			events[i] = awslogs.InputLogEvent{Message: &message, Timestamp: new(time.Now().UnixMilli())}
		}
		_, err := api.CallAs(ctx, a.calls, &awslogs.API, a.call(session, awslogs.API.Name, region, "PutLogEvents"),
			&awslogs.PutLogEventsInput{LogGroupName: &group, LogStreamName: &s.ID, LogEvents: events}, a.logs.PutLogEvents)
		if err != nil {
			return err
		}
	}
	return nil
}

// putObject writes the object with the session's name.
func (a *execAgent) putObject(ctx context.Context, s *record.ExecSession, session *record.Session, content []byte) error {
	key := s.ID + ".log"
	if s.Logging.KeyPrefix != "" {
		key = s.Logging.KeyPrefix + "/" + key
	}
	_, err := api.CallAs(ctx, a.calls, &s3.API, a.call(session, s3.API.Name, a.bucketRegion(s.Scope.Region, s.Logging), "PutObject"), &s3.PutObjectInput{
		Bucket: &s.Logging.Bucket, Key: &key, Body: io.NopCloser(bytes.NewReader(content)), ContentLength: new(int64(len(content))),
		ContentType: new(http.DetectContentType(content)),
	}, a.buckets.PutObject)
	return err
}

// DecryptExecKey implements [control.ExecAgent].
func (a *execAgent) DecryptExecKey(ctx context.Context, s *record.ExecSession, k desired.ExecKey) (value secret.Text, err error) {
	view := a.db.View()
	t, ok := store.Tasks.Get(view, s.TaskKey())
	if !ok {
		return value, errdefs.ErrNotFound
	}
	session, err := control.TaskRoleSession(view, t)
	if err != nil {
		return value, err
	}
	out, err := api.CallAs(ctx, a.calls, &kms.API, a.call(session, kms.API.Name, s.Scope.Region, "Decrypt"),
		&kms.DecryptInput{CiphertextBlob: k.Ciphertext, EncryptionContext: k.Context, KeyId: &s.KMSKeyID}, a.keys.Decrypt)
	if err != nil {
		return value, err
	}
	return secret.New(base64.StdEncoding.EncodeToString(out.Plaintext)), nil
}
