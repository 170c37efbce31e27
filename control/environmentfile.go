package control

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/containerd/errdefs"

	"fargo"
	"fargo/aws"
	"fargo/aws/protocol"
	"fargo/aws/s3"
	"fargo/desired"
	"fargo/plan"
)

// environmentFile reads an environment file, and gives its variables as nodes read them.
// Fargate asks for the bucket's region and for HeadObject first, which needs what GetObject
// needs and fails where that does.
func (r *taskReading) environmentFile(ctx context.Context, arn string) (string, error) {
	bucket, key, _ := plan.EnvironmentFileObject(arn)
	c := r.caller("s3", arn)
	location, err := r.values.GetBucketLocation(ctx, c, &s3.GetBucketLocationInput{Bucket: &bucket})
	if err != nil {
		return "", failure(err, func(e *protocol.Error) string { return plan.EnvironmentFileFailure("GetBucketLocation", e) })
	}
	c.Region = string(cmp.Or(location.LocationConstraint, s3.BucketLocationConstraint(fargo.DefaultRegion)))
	object, err := r.values.GetObject(ctx, c, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return "", failure(err, func(e *protocol.Error) string { return plan.EnvironmentFileFailure("HeadObject", withoutBody(e)) })
	}
	text, err := readEnvironmentFile(object, arn)
	if err != nil {
		return "", err
	}
	variables, err := json.Marshal(desired.Variables(plan.ParseEnvironmentFile(text)))
	return string(variables), err
}

// withoutBody is an error as the SDK reads it from an answer to HEAD, which has only a status.
func withoutBody(e *protocol.Error) *protocol.Error {
	text := http.StatusText(cmp.Or(e.Status, http.StatusBadRequest))
	return protocol.Errorf(strings.ReplaceAll(text, " ", ""), "%s", text).WithStatus(e.Status)
}

func readEnvironmentFile(object *s3.GetObjectOutput, arn string) (text string, err error) {
	defer func() { err = errors.Join(err, object.Body.Close()) }()
	if size := aws.Value(object.ContentLength); size > plan.MaxEnvironmentFile {
		return "", errors.New(plan.EnvironmentFileTooLarge(arn, size))
	}
	all, err := io.ReadAll(object.Body)
	if err != nil {
		return "", fmt.Errorf("%w: reading %s: %w", errdefs.ErrUnavailable, arn, err)
	}
	return string(all), nil
}
