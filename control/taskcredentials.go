package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/errdefs"

	"fargo"
	"fargo/aws"
	"fargo/desired"
	"fargo/plan"
	"fargo/policy"
	"fargo/record"
	"fargo/secret"
	"fargo/store"
)

// taskCredentials gives a task that is the node's, and has not stopped, credentials of its
// role: a session, which is made when it is first asked for. The session outlives the
// task, as on AWS, but no further one is made.
func (p *Plane) taskCredentials(ctx context.Context, node, of string) (value secret.Text, err error) {
	arn, period, ok := desired.ParseTaskCredentials(of)
	if !ok {
		return value, errdefs.ErrNotFound
	}
	session, err := taskSession(p.DB.View(), node, arn, period)
	if err == nil && session.AccessKeyID == "" {
		err = p.DB.Update(ctx, func(tx *store.Tx) error {
			session, err = taskSession(tx, node, arn, period)
			if err == nil && session.AccessKeyID == "" {
				store.IssueSession(tx, session, time.Now(), desired.CredentialsLife)
			}
			return err
		})
	}
	if err != nil {
		return value, err
	}
	data, err := json.Marshal(roleCredentials(session))
	return secret.New(string(data)), err
}

// taskSession finds the session of a task's role in a period, or makes it, without
// credentials yet.
func taskSession(r store.Reader, node, arn string, period int64) (*record.Session, error) {
	t, ok := taskByARN(r, arn)
	if !ok || t.Node != node || t.Stopped() {
		return nil, errdefs.ErrNotFound
	}
	definition, ok := store.TaskDefinitionByARN(r, *t.Intent.TaskDefinitionArn)
	if !ok {
		return nil, errors.New("the task definition is gone")
	}
	roleARN := plan.TaskRole(t, definition)
	if roleARN == "" {
		return nil, errdefs.ErrNotFound
	}
	role, ok := assumed(r, roleARN, tasksService, t)
	if !ok {
		return nil, errUnassumable(roleARN)
	}
	for s := range store.Sessions.By(r, store.SessionByTask, arn) {
		if s.Role == roleARN && s.Period == period && time.Now().Before(s.Expires) {
			return s, nil
		}
	}
	return plan.TaskSession(t, role, period), nil
}

// tasksService is ECS, as the roles of tasks trust it.
const tasksService = "ecs-tasks.amazonaws.com"

// assumed finds a role that trusts a service which acts for a task.
func assumed(r store.Reader, roleARN, service string, t *record.Task) (*record.Role, bool) {
	a, _ := fargo.ParseARN(roleARN)
	role, ok := store.Roles.Get(r, a.Scope().Key(a.Name()))
	if !ok || *role.Role.Arn != roleARN {
		return nil, false
	}
	trust, err := policy.Parse(*role.Role.AssumeRolePolicyDocument)
	return role, err == nil && policy.Trusts(trust, service, t.Scope.Account, t.ARN())
}

// errUnassumable is of a role that does not trust ECS.
func errUnassumable(role string) error {
	return fmt.Errorf("ECS was unable to assume the role '%s' that was provided for this task. Please verify that the role being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role.", role) //nolint:staticcheck,revive // AWS's text
}

// roleCredentials are a session's credentials as containers read them.
func roleCredentials(s *record.Session) desired.RoleCredentials {
	return desired.RoleCredentials{
		RoleARN: s.Role, AccessKeyID: s.AccessKeyID,
		SecretAccessKey: secret.Exposed{Text: secret.New(s.Secret)}, Token: secret.Exposed{Text: secret.New(s.Token)},
		Expiration: s.Expires,
	}
}

// TaskTags gives the tags of a task that is the node's.
func (p *Plane) TaskTags(_ context.Context, node, taskARN string) (map[string]string, error) {
	view := p.DB.View()
	t, ok := taskByARN(view, taskARN)
	if !ok || t.Node != node {
		return nil, errdefs.ErrNotFound
	}
	tags := map[string]string{}
	for _, tag := range t.Intent.Tags {
		tags[aws.Value(tag.Key)] = aws.Value(tag.Value)
	}
	return tags, nil
}
