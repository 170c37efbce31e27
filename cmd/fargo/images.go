package main

import (
	"fargo"
	"fargo/api/ecr"
	awsecs "fargo/aws/ecs"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/secret"
	"fargo/store"
)

// taskImages resolves the names of images for the control plane. Names of an ECR
// registry are in our own registry, which has no DNS name, and are pulled with the
// permissions of the task's execution role. All other names are used as they are.
type taskImages struct {
	db       *store.DB
	registry *ecr.Server
	endpoint string // of this process: "http://127.0.0.1:4566"
}

// Source implements control.Puller.
func (i taskImages) Source(t *record.Task, c *awsecs.ContainerDefinition) desired.PullSource {
	if c.Image == nil {
		return desired.PullSource{}
	}
	if _, ours := fargo.ParseImageName(*c.Image); !ours {
		return desired.PullSource{Digest: t.Digests[*c.Name], Room: ephemeralStorage(t)}
	}
	return desired.PullSource{
		Room:       ephemeralStorage(t),
		Endpoint:   i.endpoint,
		Username:   "AWS",
		PasswordID: desired.RegistryPasswordOf(t.ARN()),
		Digest:     t.Digests[*c.Name],
	}
}

// ephemeralStorage is the task's, in bytes, which bounds the size of its images.
func ephemeralStorage(t *record.Task) int64 {
	if s := t.Intent.EphemeralStorage; s != nil && s.SizeInGiB != nil {
		return int64(*s.SizeInGiB) << 30
	}
	return 0
}

// Password implements control.Puller: it opens the registry for a session of the task's
// execution role. It is the same whenever it is asked for: it begins with the task, which
// pulls at once.
func (i taskImages) Password(t *record.Task) secret.Text {
	grant := record.RegistryGrant{Scope: t.Scope}
	if s := executionSession(i.db.View(), t); s != nil {
		grant.PrincipalARN, grant.PrincipalID, grant.Role, grant.Task = s.PrincipalARN, s.PrincipalID, s.Role, s.Task
	}
	password, _ := i.registry.Password(grant, *t.Intent.CreatedAt)
	return secret.New(password)
}

// executionSession is a session of the role with whose permissions the task is prepared;
// nil if it has none.
func executionSession(r store.Reader, t *record.Task) *record.Session {
	d, ok := store.TaskDefinitionByARN(r, *t.Intent.TaskDefinitionArn)
	if !ok {
		return nil
	}
	a, _ := fargo.ParseARN(plan.ExecutionRole(t, d))
	role, ok := store.Roles.Get(r, a.Scope().Key(a.Name()))
	if !ok {
		return nil
	}
	return plan.TaskSession(t, role, 0)
}

// Resolve implements control.Images.
func (taskImages) Resolve(r store.Reader, _ fargo.Scope, image string) (digest string) {
	return store.PushedDigest(r, image)
}
