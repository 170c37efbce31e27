package s3

import (
	"bytes"
	"context"
	"io"

	"fargo/api"
	"fargo/aws/s3"
	"fargo/policy"
	"fargo/store"
)

// Delivery is an object that a service of AWS's puts into a user's bucket.
type Delivery struct {
	Bucket, Key string
	Region      string // where the bucket must be
	// Principals are those that the service comes as: the policy must let one of them.
	Principals []policy.Principal
	Context    policy.Context
}

// Takes reports whether a bucket is where a delivery wants it and its policy allows the
// delivery. Whose the bucket is does not matter, nor does a bucket without a policy take
// anything.
func (s *Server) Takes(r store.Reader, d *Delivery) bool {
	b, ok := store.Buckets.Get(r, d.Bucket)
	if !ok || b.Scope.Region != d.Region {
		return false
	}
	document, err := policy.Parse(b.Policy)
	if err != nil {
		return false
	}
	allowed := false
	for _, p := range d.Principals {
		switch policy.Evaluate(policy.Request{Action: "s3:PutObject", Resource: b.ARN() + "/" + d.Key, Principal: p, Context: d.Context}, document) {
		case policy.ExplicitDeny:
			return false
		case policy.Allow:
			allowed = true
		}
	}
	return allowed
}

// Deliver puts an object, if the bucket takes it.
func (s *Server) Deliver(ctx context.Context, d *Delivery, content []byte) error {
	view := s.DB.View()
	b, ok := store.Buckets.Get(view, d.Bucket)
	if !ok {
		return noSuchBucket(d.Bucket)
	}
	if !s.Takes(view, d) {
		return accessDenied()
	}
	ctx = api.WithCall(ctx, &api.Call{Service: s3.API.Name, Operation: "PutObject", Account: b.Scope.Account, Region: b.Scope.Region})
	_, err := s.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &d.Bucket, Key: &d.Key, Body: io.NopCloser(bytes.NewReader(content)), ContentLength: new(int64(len(content))),
	})
	return err
}
