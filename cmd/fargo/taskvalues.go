package main

import (
	"context"

	"fargo/api"
	"fargo/aws/s3"
	"fargo/aws/secretsmanager"
	"fargo/aws/ssm"
	"fargo/control"
	"fargo/policy"
	"fargo/record"
)

// taskValues calls Secrets Manager, Parameter Store and S3 for tasks, as their execution
// roles: what the policies do not allow is refused, as for code in a task.
type taskValues struct {
	calls      api.Calls
	secrets    secretReader
	parameters parameterReader
	objects    objectReader
}

type secretReader interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput) (*secretsmanager.GetSecretValueOutput, error)
}

type parameterReader interface {
	GetParameters(context.Context, *ssm.GetParametersInput) (*ssm.GetParametersOutput, error)
}

type objectReader interface {
	GetBucketLocation(context.Context, *s3.GetBucketLocationInput) (*s3.GetBucketLocationOutput, error)
	GetObject(context.Context, *s3.GetObjectInput) (*s3.GetObjectOutput, error)
}

// newTaskValues finds the three among the services.
func newTaskValues(services []api.Mounted, calls api.Calls) taskValues {
	v := taskValues{calls: calls}
	for _, s := range services {
		if reader, ok := s.Server.(secretReader); ok {
			v.secrets = reader
		}
		if reader, ok := s.Server.(parameterReader); ok {
			v.parameters = reader
		}
		if reader, ok := s.Server.(objectReader); ok {
			v.objects = reader
		}
	}
	return v
}

// GetSecretValue implements [control.Values].
func (v taskValues) GetSecretValue(ctx context.Context, c control.Caller, in *secretsmanager.GetSecretValueInput) (*secretsmanager.GetSecretValueOutput, error) {
	return api.CallAs(ctx, v.calls, &secretsmanager.API, call(c, "GetSecretValue"), in, v.secrets.GetSecretValue)
}

// GetParameters implements [control.Values].
func (v taskValues) GetParameters(ctx context.Context, c control.Caller, in *ssm.GetParametersInput) (*ssm.GetParametersOutput, error) {
	return api.CallAs(ctx, v.calls, &ssm.API, call(c, "GetParameters"), in, v.parameters.GetParameters)
}

// GetBucketLocation implements [control.Values].
func (v taskValues) GetBucketLocation(ctx context.Context, c control.Caller, in *s3.GetBucketLocationInput) (*s3.GetBucketLocationOutput, error) {
	return api.CallAs(ctx, v.calls, &s3.API, call(c, "GetBucketLocation"), in, v.objects.GetBucketLocation)
}

// GetObject implements [control.Values].
func (v taskValues) GetObject(ctx context.Context, c control.Caller, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	return api.CallAs(ctx, v.calls, &s3.API, call(c, "GetObject"), in, v.objects.GetObject)
}

// call is a call that ECS makes as a task's role, or that another service makes. It came over
// no network, but counts as one that came by the task's interface.
func call(c control.Caller, operation string) *api.Call {
	made := &api.Call{RequestID: c.RequestID, Operation: operation, Region: c.Region, Caller: api.Caller{ServicePrincipal: c.Service, Client: api.Client{Secure: true}}}
	if c.Session != nil {
		made.Account, made.Caller = c.Session.Account, sessionCaller(c.Session)
	}
	if c.Origin != nil {
		made.Origin, made.SourceAddress = c.Origin, c.Origin.Client
	}
	return made
}

// sessionCaller is a session of a task's role.
func sessionCaller(s *record.Session) api.Caller {
	return api.Caller{PrincipalARN: s.PrincipalARN, PrincipalID: s.PrincipalID, Role: s.Role, Task: s.Task, Client: api.Client{Secure: true}}
}

// rolePolicies implements [control.RolePolicies].
func (p *plane) rolePolicies(s *record.Session) *policy.Caller {
	c := sessionCaller(s)
	return p.policies.Of(&c)
}

// authorizeTask implements [control.Authorize].
func (p *plane) authorizeTask(c control.Caller, service, operation string, in any) error {
	asked := call(c, operation)
	asked.Service = service
	return p.authorizer.Authorize(context.Background(), asked, in)
}
