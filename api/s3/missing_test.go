package s3_test

import (
	"context"
	"errors"
	"testing"

	"fargo/api"
	wire "fargo/aws/s3"
)

var errDenied = errors.New("may not list the bucket")

// blind is an authorizer that lets nobody list a bucket.
type blind struct{ t *testing.T }

func (b blind) Authorize(_ context.Context, call *api.Call, in any) error {
	list, ok := in.(*wire.ListObjectsV2Input)
	if !ok || call.Operation != "ListObjectsV2" || *list.Bucket != "bucket" {
		b.t.Errorf("asked about %s %+v", call.Operation, in)
	}
	return errDenied
}

// Whether an object is there is for those to know who may list the bucket.
func TestMissingObject(t *testing.T) {
	s, _, _ := open(t)
	ctx := api.WithCall(t.Context(), &api.Call{Service: "s3", Operation: "GetObject", Account: home.Account, Region: home.Region})
	if _, err := s.CreateBucket(ctx, &wire.CreateBucketInput{Bucket: new("bucket")}); err != nil {
		t.Fatal(err)
	}
	in := &wire.GetObjectInput{Bucket: new("bucket"), Key: new("key")}
	if _, err := s.GetObject(ctx, in); err == nil || err.Error() != "NoSuchKey: The specified key does not exist." {
		t.Errorf("who may list it: %v", err)
	}
	s.Authorizer = blind{t}
	if _, err := s.GetObject(ctx, in); !errors.Is(err, errDenied) {
		t.Errorf("who may not: %v", err)
	}
}
