package control

import (
	"cmp"
	"errors"

	"github.com/google/uuid"

	"fargo"
	"fargo/aws"
	"fargo/aws/ecr"
	"fargo/aws/protocol"
	"fargo/aws/s3"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// Authorize asks IAM whether a caller may call an operation of a service (by our name of
// it: "ecr"). Its error is the one that the service would answer with.
type Authorize func(c Caller, service, operation string, in any) error

// pullRefused is why a task may not pull the images of its containers from our registry, in
// Fargate's words: because of its execution role, or of the policies of the endpoints that
// it pulls by. It is empty when it may. The registry asks again
// when the node pulls, but of an image that the node has it is not pulled from.
func pullRefused(r store.Reader, authorize Authorize, t *record.Task) (reason string) {
	d, ok := store.TaskDefinitionByARN(r, *t.Intent.TaskDefinitionArn)
	if !ok {
		return ""
	}
	arn := plan.ExecutionRole(t, d)
	if arn == "" {
		return ""
	}
	role, ok := assumed(r, arn, tasksService, t)
	if !ok {
		return errUnassumable(arn).Error()
	}
	c := Caller{Session: plan.TaskSession(t, role, 0), Region: t.Scope.Region, RequestID: uuid.NewString()}
	for _, container := range t.Intent.Containers {
		name, ours := fargo.ParseImageName(aws.Value(container.Image))
		if !ours {
			continue
		}
		if e := asProtocol(authorize(c.by(r, t, "ecr.api"), ecr.API.Name, "GetAuthorizationToken", &ecr.GetAuthorizationTokenInput{})); e != nil {
			return plan.RegistryAuthRefused(c.RequestID, e)
		}
		from := c
		from.Region = name.Scope().Region
		from = from.by(r, t, "ecr.dkr")
		registry := name.Scope().Account
		if e := asProtocol(cmp.Or(
			authorize(from, ecr.API.Name, "BatchGetImage", &ecr.BatchGetImageInput{RegistryId: &registry, RepositoryName: &name.Repository}),
			authorize(from, ecr.API.Name, "GetDownloadUrlForLayer", &ecr.GetDownloadUrlForLayerInput{RegistryId: &registry, RepositoryName: &name.Repository}),
		)); e != nil {
			return plan.PullRefused(*container.Image, name.Host, name.Reference, e)
		}
		layers := Caller{Service: plan.LayerSigner, Region: from.Region, RequestID: c.RequestID}.by(r, t, "s3")
		if e := asProtocol(authorize(layers, s3.API.Name, "GetObject", &s3.GetObjectInput{
			Bucket: new(plan.LayerBucket(from.Region)), Key: new(plan.LayerKey(registry, name.Repository)),
		})); e != nil {
			return plan.LayersRefused(name.Host, name.Repository)
		}
	}
	return ""
}

// asProtocol is an error of AWS's; nil for none, and for what is none of AWS's.
func asProtocol(err error) *protocol.Error {
	var e *protocol.Error
	errors.As(err, &e)
	return e
}
