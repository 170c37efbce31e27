// Package s3 implements the operations of Amazon S3 that tasks, load balancers,
// deployments and the tools around them use: buckets, objects, multipart uploads,
// copies, listing, tags, and what is read of a bucket's configuration. It knows what S3
// answers; where the contents of objects are is the business of package objects.
//
// There are no versions of objects and no access for others than the bucket's account:
// what would ask for them is refused by name.
package s3

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/protocol"
	"fargo/aws/s3"
	"fargo/objects"
	"fargo/record"
	"fargo/store"
)

// Config is what a Server works on. All fields are required.
type Config struct {
	DB       *store.DB
	Contents *objects.Store
	// Authorizer decides whether a caller may learn that an object is not there.
	Authorizer api.Authorizer
}

// Server answers the S3 operations.
type Server struct{ Config }

// New makes a server.
func New(c Config) *Server { return &Server{c} }

// now is a time as objects have it: whole seconds as HTTP's, UTC.
func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

// notImplemented names something that would change what happens, if Fargo knew how.
func notImplemented(what string) error {
	return protocol.Errorf("NotImplemented", "Fargo does not implement %s.", what).WithStatus(http.StatusNotImplemented)
}

func invalidArgument(name, value, format string, args ...any) error {
	return protocol.Errorf("InvalidArgument", format, args...).WithField("ArgumentName", name).WithField("ArgumentValue", value)
}

func accessDenied() error {
	return protocol.Errorf("AccessDenied", "Access Denied").WithStatus(http.StatusForbidden)
}

func noSuchBucket(name string) error {
	return s3.NoSuchBucket("The specified bucket does not exist").WithField("BucketName", name)
}

func noSuchKey(key string) error {
	return s3.NoSuchKey("The specified key does not exist.").WithField("Key", key)
}

// bucket finds a bucket that the caller may name: of its account, in the region that
// the request was signed for. The answer says where the bucket is, also when it is
// refused.
func (s *Server) bucket(ctx context.Context, r store.Reader, name *string) (*record.Bucket, error) {
	call := api.CallFrom(ctx)
	b, ok := store.Buckets.Get(r, aws.Value(name))
	if !ok {
		return nil, noSuchBucket(aws.Value(name))
	}
	call.SetHeader("X-Amz-Bucket-Region", b.Scope.Region)
	switch {
	case b.Scope.Account != call.Account:
		return nil, accessDenied()
	case b.Scope.Region != call.Region:
		return nil, protocol.Errorf("PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.").
			WithStatus(http.StatusMovedPermanently).WithField("Endpoint", b.Name+".s3."+b.Scope.Region+".amazonaws.com").WithField("Bucket", b.Name)
	}
	return b, nil
}

// object finds an object in a bucket that the caller may name.
func (s *Server) object(ctx context.Context, r store.Reader, bucket, key *string) (*record.Object, error) {
	if _, err := s.bucket(ctx, r, bucket); err != nil {
		return nil, err
	}
	o, ok := store.Objects.Get(r, record.ObjectKey(*bucket, aws.Value(key)))
	if !ok {
		return nil, s.missing(ctx, *bucket, aws.Value(key))
	}
	return o, nil
}

// missing is the answer to who asks for an object that is not there: that is for those to
// know who may list the bucket.
// Source: S3 API reference, GetObject, "Permissions".
func (s *Server) missing(ctx context.Context, bucket, key string) error {
	list := *api.CallFrom(ctx)
	list.Operation = "ListObjectsV2"
	if err := s.Authorizer.Authorize(ctx, &list, &s3.ListObjectsV2Input{Bucket: &bucket}); err != nil {
		return err
	}
	return noSuchKey(key)
}

// open finds an object and gives a reader of a range of its contents. The object may be
// replaced before its files are held; then it is looked for again.
func (s *Server) open(find func(store.Reader) (*record.Object, error), span func(*record.Object) (offset, size int64, err error)) (*record.Object, *objects.Reader, error) {
	for {
		o, err := find(s.DB.View())
		if err != nil {
			return nil, nil, err
		}
		offset, size, err := span(o)
		if err != nil {
			return nil, nil, err
		}
		r, err := s.Contents.Read(o.Blobs, offset, size)
		if again, gone := find(s.DB.View()); gone == nil && again == o {
			return o, r, err
		}
		if err == nil {
			err = r.Close()
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, err
		}
	}
}

// whole is all of an object.
func whole(o *record.Object) (offset, size int64, err error) { return 0, o.Size(), nil }

// ReadObject reads an object of at most limit bytes for a service of Fargo's, in the
// name of an account. Its errors are those of S3.
func (s *Server) ReadObject(_ context.Context, scope fargo.Scope, bucket, key string, limit int64) ([]byte, error) {
	find := func(r store.Reader) (*record.Object, error) {
		if o, ok := store.FindObject(r, scope, bucket, key); ok {
			return o, nil
		}
		return nil, noSuchKey(key)
	}
	_, r, err := s.open(find, func(o *record.Object) (offset, size int64, err error) {
		if o.Size() > limit {
			return 0, 0, protocol.Errorf("EntityTooLarge", "The object has %d bytes, more than %d.", o.Size(), limit)
		}
		return whole(o)
	})
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(r)
	return text, errors.Join(err, r.Close())
}

// ownerID is the canonical user id of an account, which has no meaning on its own.
func ownerID(account string) *string {
	sum := sha256.Sum256([]byte("canonical user " + account))
	return new(hex.EncodeToString(sum[:]))
}

func owner(account string) *s3.Owner { return &s3.Owner{ID: ownerID(account)} }

func quoted(etag string) *string { return new(fmt.Sprintf("%q", etag)) }
