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
	session, err := p.taskSession(p.DB.View(), node, arn, period)
	if err == nil && session.AccessKeyID == "" {
		err = p.DB.Update(ctx, func(tx *store.Tx) error {
			session, err = p.taskSession(tx, node, arn, period)
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
func (p *Plane) taskSession(r store.Reader, node, arn string, period int64) (*record.Session, error) {
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
	if !p.Assumable(r, roleARN, "ecs-tasks.amazonaws.com") {
		return nil, errUnassumable(roleARN)
	}
	for s := range store.Sessions.By(r, store.SessionByTask, arn) {
		if s.Role == roleARN && s.Period == period && time.Now().Before(s.Expires) {
			return s, nil
		}
	}
	a, _ := fargo.ParseARN(roleARN)
	role, ok := store.Roles.Get(r, a.Scope().Key(a.Name()))
	if !ok || !trustsTask(role, t) {
		return nil, errUnassumable(roleARN)
	}
	return plan.TaskSession(t, role, period), nil
}

// trustsTask reports whether a role trusts ECS when it acts for a task: the trust policy
// may say for which (aws:SourceArn).
func trustsTask(role *record.Role, t *record.Task) bool {
	return trustsFor(role, "ecs-tasks.amazonaws.com", t)
}

// trustsFor is [trustsTask] of any service that acts for a task.
func trustsFor(role *record.Role, service string, t *record.Task) bool {
	trust, err := policy.Parse(*role.Role.AssumeRolePolicyDocument)
	return err == nil && policy.TrustsFor(trust, service, t.Scope.Account, t.ARN())
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
