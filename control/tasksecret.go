package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/google/uuid"

	"fargo"
	"fargo/aws"
	"fargo/aws/protocol"
	"fargo/aws/s3"
	"fargo/aws/secretsmanager"
	"fargo/aws/ssm"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/secret"
	"fargo/store"
)

// Values are Secrets Manager, Parameter Store and S3, as the session of a role sees them:
// what its policies do not allow is refused. Errors of AWS's are [protocol.Error].
type Values interface {
	GetSecretValue(ctx context.Context, c Caller, in *secretsmanager.GetSecretValueInput) (*secretsmanager.GetSecretValueOutput, error)
	GetParameters(ctx context.Context, c Caller, in *ssm.GetParametersInput) (*ssm.GetParametersOutput, error)
	GetBucketLocation(ctx context.Context, c Caller, in *s3.GetBucketLocationInput) (*s3.GetBucketLocationOutput, error)
	GetObject(ctx context.Context, c Caller, in *s3.GetObjectInput) (*s3.GetObjectOutput, error)
}

// Caller is who calls an API for a task.
type Caller struct {
	Session *record.Session // without credentials
	// Service is the service of AWS that calls for itself: "ecr.amazonaws.com". There is no
	// Session then.
	Service   string
	Region    string // of what is called
	RequestID string
	Origin    *desired.Origin // where in a VPC the call comes from; nil for nowhere
}

// by is the caller with the way that Fargate reaches a service for a task, by our name of
// it ("ecr.dkr").
func (c Caller) by(r store.Reader, t *record.Task, service string) Caller {
	if t.Interface != nil {
		c.Origin = plan.SentFrom(store.EC2VPCEndpoints.By(r, store.ByVPC, t.Interface.VPC), t.Interface, service, c.Region)
	}
	return c
}

// ByTask is the caller with the way that a service is reached from the task of its session.
func (c Caller) ByTask(r store.Reader, service string) Caller {
	if t, ok := taskByARN(r, c.Session.Task); ok {
		return c.by(r, t, service)
	}
	return c
}

// taskSecret gives one of the values of a task that is the node's and has not stopped.
func (p *Plane) taskSecret(ctx context.Context, node, of string) (secret.Text, error) {
	arn, n, ok := desired.ParseTaskSecret(of)
	if !ok {
		return secret.Text{}, errdefs.ErrNotFound
	}
	values, err := p.taskSecrets(ctx, node, arn)
	if err == nil && n >= len(values) {
		err = errdefs.ErrNotFound
	}
	if err != nil {
		return secret.Text{}, err
	}
	return secret.New(values[n]), nil
}

// taskSecrets are all the values of a task, in the order of its definition's. They are read
// when its node asks for the first of them, all or none, and kept until the task has
// stopped: so all containers are given the same ones, whenever they are started.
func (p *Plane) taskSecrets(ctx context.Context, node, arn string) ([]string, error) {
	view := p.DB.View()
	t, ok := taskByARN(view, arn)
	if !ok || t.Node != node || t.Stopped() {
		return nil, errdefs.ErrNotFound
	}
	if known, ok := store.TaskSecrets.Get(view, t.Key()); ok {
		return known.Values, nil
	}
	values, err := p.readTaskSecrets(ctx, view, t)
	if err != nil {
		if errdefs.IsUnavailable(err) && ctx.Err() == nil {
			p.Logger.Error("the secrets of a task cannot be read; its node asks again", "task", arn, "err", err)
		}
		return nil, err
	}
	err = p.DB.Update(ctx, func(tx *store.Tx) error {
		if known, ok := store.TaskSecrets.Get(tx, t.Key()); ok {
			values = known.Values // another request was faster
			return nil
		}
		if now, ok := store.Tasks.Get(tx, t.Key()); !ok || now.Node != node || now.Stopped() {
			return errdefs.ErrNotFound
		}
		store.TaskSecrets.Put(tx, &record.TaskSecrets{Task: t.Key(), Values: values})
		return nil
	})
	return values, err
}

// readTaskSecrets reads the values of a task with the permissions of its execution role.
func (p *Plane) readTaskSecrets(ctx context.Context, r store.Reader, t *record.Task) ([]string, error) {
	definition, ok := store.TaskDefinitionByARN(r, *t.Intent.TaskDefinitionArn)
	if !ok {
		return nil, errors.New("the task definition is gone")
	}
	session, err := executionSession(r, t, definition)
	if err != nil {
		return nil, err
	}
	reading := taskReading{values: p.Values, state: r, task: t, session: session}
	var all []string
	for _, s := range plan.TaskSecrets(&definition.Definition, t.Intent.Overrides) {
		value, err := reading.value(ctx, s)
		if err != nil {
			return nil, err
		}
		all = append(all, value)
	}
	if len(reading.missing) > 0 {
		return nil, errors.New(plan.TaskParametersMissing(reading.missing))
	}
	return all, nil
}

// executionSession is a session of the role with whose permissions a task is prepared.
func executionSession(r store.Reader, t *record.Task, d *record.TaskDefinition) (*record.Session, error) {
	arn := plan.ExecutionRole(t, d)
	role, ok := assumed(r, arn, tasksService, t)
	if !ok {
		return nil, errUnassumable(arn)
	}
	return plan.TaskSession(t, role, 0), nil
}

// taskReading reads the values of one task.
type taskReading struct {
	values  Values
	state   store.Reader
	task    *record.Task
	session *record.Session
	missing []string // parameters that are not there
}

// value reads one value. The error has Fargate's words, or is a failure of ours, which the
// node is to come again for.
func (r *taskReading) value(ctx context.Context, s plan.TaskSecret) (string, error) {
	if s.File {
		return r.environmentFile(ctx, s.From)
	}
	from := plan.ValueFrom{SecretID: s.From}
	if !s.Registry {
		var err error
		if from, err = plan.ParseValueFrom(s.From); err != nil {
			return "", errors.New(plan.TaskSecretMalformed(s, err))
		}
	}
	if from.Parameter != "" {
		return r.parameter(ctx, from.Parameter)
	}
	value, err := r.secret(ctx, s, from)
	if err != nil {
		return "", err
	}
	switch {
	case s.Registry:
		value, err = registryCredentials(value)
	case from.JSONKey != "":
		value, err = plan.JSONMember(value, from.JSONKey)
	}
	if err != nil {
		return "", errors.New(plan.TaskSecretMalformed(s, err))
	}
	return value, nil
}

// secret reads a whole secret.
func (r *taskReading) secret(ctx context.Context, s plan.TaskSecret, from plan.ValueFrom) (string, error) {
	c := r.caller("secretsmanager", from.SecretID)
	out, err := r.values.GetSecretValue(ctx, c, &secretsmanager.GetSecretValueInput{
		SecretId: &from.SecretID, VersionStage: notEmpty(from.Stage), VersionId: notEmpty(from.VersionID),
	})
	if err != nil {
		return "", failure(err, func(e *protocol.Error) string {
			return plan.TaskSecretFailure(s, from.SecretID, c.RequestID, e)
		})
	}
	if out.SecretString == nil {
		return "", errors.New(plan.TaskSecretMalformed(s, plan.ErrBinarySecret))
	}
	return *out.SecretString, nil
}

// parameter reads a parameter. One that is not there is noted.
func (r *taskReading) parameter(ctx context.Context, name string) (string, error) {
	c := r.caller("ssm", name)
	out, err := r.values.GetParameters(ctx, c, &ssm.GetParametersInput{Names: []string{name}, WithDecryption: new(true)})
	switch {
	case err != nil:
		return "", failure(err, func(e *protocol.Error) string { return plan.TaskParameterFailure(c.RequestID, e) })
	case len(out.Parameters) == 0:
		r.missing = append(r.missing, name)
		return "", nil
	}
	return aws.Value(out.Parameters[0].Value), nil
}

// caller is the task's execution role, which calls a service in the region of an ARN or,
// for a name, the task's.
func (r *taskReading) caller(service, id string) Caller {
	c := Caller{Session: r.session, Region: r.task.Scope.Region, RequestID: uuid.NewString()}
	if a, ok := fargo.ParseARN(id); ok && a.Region != "" {
		c.Region = a.Region
	}
	return c.by(r.state, r.task, service)
}

// failure tells AWS's refusals, in Fargate's words, from failures of ours.
func failure(err error, words func(*protocol.Error) string) error {
	var e *protocol.Error
	if errors.As(err, &e) && !e.Fault {
		return errors.New(words(e))
	}
	return fmt.Errorf("%w: %w", errdefs.ErrUnavailable, err)
}

// registryCredentials is the value for a node of a secret with a registry's credentials.
func registryCredentials(value string) (string, error) {
	username, password, err := plan.RegistryLogin(value)
	if err != nil {
		return "", err
	}
	data, err := json.Marshal(desired.RegistryCredentials{Username: username, Password: secret.Exposed{Text: secret.New(password)}})
	return string(data), err
}

func notEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
