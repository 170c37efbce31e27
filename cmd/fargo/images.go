package main

import (
	"fargo"
	"fargo/api/ecr"
	awsecs "fargo/aws/ecs"
	"fargo/desired"
	"fargo/record"
	"fargo/secret"
	"fargo/store"
)

// taskImages tells the control plane about images: names of an ECR registry
// mean our own, whose address no DNS knows, and are pulled with the rights of
// the task's execution role; all other names mean what they say.
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
		return desired.PullSource{Digest: t.Digests[*c.Name], Room: room(t)}
	}
	return desired.PullSource{
		Room:       room(t),
		Endpoint:   i.endpoint,
		Username:   "AWS",
		PasswordID: desired.RegistryPasswordOf(t.ARN()),
		Digest:     t.Digests[*c.Name],
	}
}

// room is what an image may take: the task's ephemeral storage, in bytes.
func room(t *record.Task) int64 {
	if s := t.Intent.EphemeralStorage; s != nil && s.SizeInGiB != nil {
		return int64(*s.SizeInGiB) << 30
	}
	return 0
}

// Password implements control.Puller: it opens the registry for the task's execution
// role. It is the same whenever it is asked for: it begins with the task, which pulls
// at once.
func (i taskImages) Password(t *record.Task) secret.Text {
	grant := record.RegistryGrant{Scope: t.Scope, PrincipalARN: executionRole(i.db.View(), t)}
	password, _ := i.registry.Password(grant, *t.Intent.CreatedAt)
	return secret.New(password)
}

// executionRole is the role that the task's preparations have the rights of.
func executionRole(r store.Reader, t *record.Task) string {
	if o := t.Intent.Overrides; o != nil && o.ExecutionRoleArn != nil {
		return *o.ExecutionRoleArn
	}
	d, ok := store.TaskDefinitionByARN(r, *t.Intent.TaskDefinitionArn)
	if ok && d.Definition.ExecutionRoleArn != nil {
		return *d.Definition.ExecutionRoleArn
	}
	return ""
}

// Resolve implements control.Images.
func (taskImages) Resolve(r store.Reader, _ fargo.Scope, image string) (digest string) {
	return store.PushedDigest(r, image)
}
