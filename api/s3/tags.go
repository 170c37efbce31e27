package s3

import (
	"context"
	"net/url"

	"fargo/api"
	"fargo/api/tags"
	"fargo/aws/protocol"
	"fargo/aws/s3"
	"fargo/record"
	"fargo/store"
)

// bucketTags and objectTags are the rules for tags.
// Source: S3 user guide, "Categorizing your objects using tags" and "Using cost
// allocation S3 bucket tags".
var (
	bucketTags = rules(50)
	objectTags = rules(10)
)

func rules(most int) *tags.Rules[s3.Tag] {
	return &tags.Rules[s3.Tag]{
		Most: most, MostKey: 128, MostValue: 256,
		TooMany: func(most int) error {
			if most == 10 {
				return protocol.Errorf("BadRequest", "Object tags cannot be greater than 10")
			}
			return protocol.Errorf("BadRequest", "Bucket tag count cannot be greater than 50")
		},
		BadKey:   func(int) error { return protocol.Errorf("InvalidTag", "The TagKey you have provided is invalid") },
		BadValue: func(int) error { return protocol.Errorf("InvalidTag", "The TagValue you have provided is invalid") },
		Reserved: func(string) error {
			return protocol.Errorf("InvalidTag", "System tags cannot be added/updated by requester")
		},
		Duplicate: func(string) error {
			return protocol.Errorf("InvalidTag", "Cannot provide multiple Tags with the same key")
		},
	}
}

// parseTagging reads x-amz-tagging: "key=value&key=value".
func parseTagging(text *string) ([]s3.Tag, error) {
	if text == nil || *text == "" {
		return nil, nil
	}
	values, err := url.ParseQuery(*text)
	if err != nil {
		return nil, invalidArgument("x-amz-tagging", *text, "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
	}
	var all []s3.Tag
	for _, p := range tags.Pairs(firsts(values)) {
		all = append(all, s3.Tag{Key: &p.Key, Value: &p.Value})
	}
	for _, v := range values {
		if len(v) > 1 {
			return nil, invalidArgument("x-amz-tagging", *text, "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
		}
	}
	return all, objectTags.Check(all)
}

func firsts(values url.Values) map[string]string {
	first := map[string]string{}
	for k, v := range values {
		first[k] = v[0]
	}
	return first
}

func noTags(b *record.Bucket) error {
	return protocol.Errorf("NoSuchTagSet", "The TagSet does not exist").WithStatus(404).WithField("BucketName", b.Name)
}

// GetBucketTagging shows a bucket's tags, if it has any.
func (s *Server) GetBucketTagging(ctx context.Context, in *s3.GetBucketTaggingInput) (*s3.GetBucketTaggingOutput, error) {
	b, err := s.bucket(ctx, s.DB.View(), in.Bucket)
	if err != nil {
		return nil, err
	}
	if len(b.Tags) == 0 {
		return nil, noTags(b)
	}
	return &s3.GetBucketTaggingOutput{TagSet: b.Tags}, nil
}

// PutBucketTagging replaces a bucket's tags.
func (s *Server) PutBucketTagging(ctx context.Context, in *s3.PutBucketTaggingInput) (*s3.PutBucketTaggingOutput, error) {
	if err := bucketTags.Check(in.Tagging.TagSet); err != nil {
		return nil, err
	}
	err := s.changeBucket(ctx, in.Bucket, func(b *record.Bucket) { b.Tags = in.Tagging.TagSet })
	api.CallFrom(ctx).Reply.Status = 204
	return &s3.PutBucketTaggingOutput{}, err
}

// DeleteBucketTagging removes a bucket's tags.
func (s *Server) DeleteBucketTagging(ctx context.Context, in *s3.DeleteBucketTaggingInput) (*s3.DeleteBucketTaggingOutput, error) {
	err := s.changeBucket(ctx, in.Bucket, func(b *record.Bucket) { b.Tags = nil })
	return &s3.DeleteBucketTaggingOutput{}, err
}

// GetObjectTagging shows an object's tags.
func (s *Server) GetObjectTagging(ctx context.Context, in *s3.GetObjectTaggingInput) (*s3.GetObjectTaggingOutput, error) {
	o, err := s.object(ctx, s.DB.View(), in.Bucket, in.Key)
	if err != nil {
		return nil, err
	}
	return &s3.GetObjectTaggingOutput{TagSet: append([]s3.Tag{}, o.Tags...)}, nil
}

// PutObjectTagging replaces an object's tags.
func (s *Server) PutObjectTagging(ctx context.Context, in *s3.PutObjectTaggingInput) (*s3.PutObjectTaggingOutput, error) {
	if err := objectTags.Check(in.Tagging.TagSet); err != nil {
		return nil, err
	}
	return &s3.PutObjectTaggingOutput{}, s.setObjectTags(ctx, in.Bucket, in.Key, in.Tagging.TagSet)
}

// DeleteObjectTagging removes an object's tags.
func (s *Server) DeleteObjectTagging(ctx context.Context, in *s3.DeleteObjectTaggingInput) (*s3.DeleteObjectTaggingOutput, error) {
	return &s3.DeleteObjectTaggingOutput{}, s.setObjectTags(ctx, in.Bucket, in.Key, nil)
}

func (s *Server) setObjectTags(ctx context.Context, bucket, key *string, all []s3.Tag) error {
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		o, err := s.object(ctx, tx, bucket, key)
		if err != nil {
			return err
		}
		changed := *o
		changed.Tags = all
		store.Objects.Put(tx, &changed)
		return nil
	})
}

// changeBucket changes a copy of a bucket.
func (s *Server) changeBucket(ctx context.Context, name *string, change func(*record.Bucket)) error {
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		b, err := s.bucket(ctx, tx, name)
		if err != nil {
			return err
		}
		changed := *b
		change(&changed)
		store.Buckets.Put(tx, &changed)
		return nil
	})
}
