package s3

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"fargo/aws"
	"fargo/aws/protocol"
	"fargo/aws/s3"
	"fargo/record"
	"fargo/store"
)

// mostMetadata is how many bytes the names and values of x-amz-meta- headers may have.
// Source: S3 user guide, "Working with object metadata".
const mostMetadata = 2 << 10

func checkMetadata(metadata map[string]string) error {
	size := 0
	for name, value := range metadata {
		size += len(name) + len(value)
	}
	if size > mostMetadata {
		return protocol.Errorf("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size").WithField("Size", size).WithField("MaxSizeAllowed", mostMetadata)
	}
	return nil
}

// encodingOf is a Content-Encoding without what is only of the way it came.
func encodingOf(given *string) string {
	kept := slices.DeleteFunc(strings.Split(aws.Value(given), ","), func(e string) bool {
		return strings.EqualFold(strings.TrimSpace(e), "aws-chunked")
	})
	return strings.TrimSpace(strings.Join(kept, ","))
}

// defaultType is the content type of an object without one.
const defaultType = "binary/octet-stream"

// PutObject makes an object, or replaces one.
func (s *Server) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	o := &record.Object{Bucket: *in.Bucket, Name: *in.Key, Headers: record.ObjectHeaders{
		ContentType: cmp.Or(aws.Value(in.ContentType), defaultType), ContentEncoding: encodingOf(in.ContentEncoding),
		ContentDisposition: aws.Value(in.ContentDisposition), ContentLanguage: aws.Value(in.ContentLanguage),
		CacheControl: aws.Value(in.CacheControl), Expires: aws.Value(in.Expires), Redirect: aws.Value(in.WebsiteRedirectLocation), Metadata: in.Metadata,
	}}
	condition := writeCondition{in.IfMatch, in.IfNoneMatch}
	want, err := expect(in, in.ChecksumAlgorithm, in.Body, in.ContentLength, in.ContentMD5)
	if err != nil {
		return nil, err
	}
	if want.algorithm == "" {
		want.algorithm = defaultChecksum
	}
	if o.Tags, err = parseTagging(in.Tagging); err != nil {
		return nil, err
	}
	if err := checkMetadata(in.Metadata); err != nil {
		return nil, err
	}
	if err := s.mayPut(ctx, s.DB.View(), o, condition); err != nil {
		return nil, err // before the contents are read
	}
	got, err := s.receive(ctx, in.Body, want)
	if err != nil {
		return nil, err
	}
	o.Blobs, o.ETag, o.Checksum = []record.Blob{got.blob}, got.etag, got.checksum
	if err := s.put(ctx, o, condition, nil); err != nil {
		return nil, err
	}
	out := &s3.PutObjectOutput{ETag: quoted(o.ETag)}
	setChecksum(out, o.Checksum)
	return out, nil
}

// writeCondition is on what there must be for a write to happen.
type writeCondition struct{ match, noneMatch *string }

func (c writeCondition) check(old *record.Object) error {
	failed := func(name string) error {
		return protocol.Errorf("PreconditionFailed", "At least one of the pre-conditions you specified did not hold").WithStatus(http.StatusPreconditionFailed).WithField("Condition", name)
	}
	switch {
	case c.noneMatch != nil && *c.noneMatch != "*":
		return protocol.Errorf("NotImplemented", "A header you provided implies functionality that is not implemented").WithStatus(http.StatusNotImplemented).WithField("Header", "If-None-Match")
	case c.noneMatch != nil && old != nil:
		return failed("If-None-Match")
	case c.match != nil && old == nil:
		return s3.NoSuchKey("The specified key does not exist.")
	case c.match != nil && !matches(*c.match, old.ETag):
		return failed("If-Match")
	}
	return nil
}

// mayPut refuses an object that may not be written.
func (s *Server) mayPut(ctx context.Context, r store.Reader, o *record.Object, c writeCondition) error {
	if _, err := s.bucket(ctx, r, &o.Bucket); err != nil {
		return err
	}
	old, _ := store.Objects.Get(r, o.Key())
	return c.check(old)
}

// put makes a record for an object, and removes the contents of the one before. When it
// is refused, the new contents are removed. also is done in the same transaction, and
// gives further contents that are not needed any more.
func (s *Server) put(ctx context.Context, o *record.Object, c writeCondition, also func(*store.Tx) ([]record.Blob, error)) error {
	var gone []record.Blob
	refused := false
	err := s.DB.Update(ctx, func(tx *store.Tx) (err error) {
		refused, gone = true, nil
		if err := s.mayPut(ctx, tx, o, c); err != nil {
			return err
		}
		if also != nil {
			if gone, err = also(tx); err != nil {
				return err
			}
		}
		if old, ok := store.Objects.Get(tx, o.Key()); ok {
			gone = append(gone, old.Blobs...)
		}
		o.Modified = now()
		store.Objects.Put(tx, o)
		refused = false
		return nil
	})
	if err == nil {
		s.Contents.Remove(gone...)
	} else if refused && also == nil {
		s.Contents.Remove(o.Blobs...)
	}
	return err
}

// DeleteObject deletes an object. That there is none is no error.
func (s *Server) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	var gone []record.Blob
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		b, err := s.bucket(ctx, tx, in.Bucket)
		if err != nil {
			return err
		}
		old, _ := store.Objects.Get(tx, record.ObjectKey(b.Name, *in.Key))
		if err := (writeCondition{match: in.IfMatch}).check(old); err != nil {
			return err
		}
		if old != nil {
			gone = old.Blobs
			store.Objects.Delete(tx, old.Key())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.Contents.Remove(gone...)
	return &s3.DeleteObjectOutput{}, nil
}

const mostDeleted = 1000

// DeleteObjects deletes many objects.
func (s *Server) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	if n := len(in.Delete.Objects); n == 0 || n > mostDeleted {
		return nil, malformedXML()
	}
	var out *s3.DeleteObjectsOutput
	var gone []record.Blob
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		b, err := s.bucket(ctx, tx, in.Bucket)
		if err != nil {
			return err
		}
		out, gone = &s3.DeleteObjectsOutput{}, nil
		for _, id := range in.Delete.Objects {
			blobs, err := deleteIdentified(tx, b, id)
			switch {
			case err != nil:
				out.Errors = append(out.Errors, s3.Error{Key: id.Key, VersionId: id.VersionId, Code: &err.Code, Message: &err.Message})
			case !aws.Value(in.Delete.Quiet):
				out.Deleted = append(out.Deleted, s3.DeletedObject{Key: id.Key, VersionId: id.VersionId})
			}
			gone = append(gone, blobs...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.Contents.Remove(gone...)
	return out, nil
}

// deleteIdentified deletes one of many objects, and gives its contents.
func deleteIdentified(tx *store.Tx, b *record.Bucket, id s3.ObjectIdentifier) ([]record.Blob, *protocol.Error) {
	key := aws.Value(id.Key)
	switch version := aws.Value(id.VersionId); {
	case len(key) > maxKey:
		return nil, protocol.Errorf("KeyTooLongError", "Your key is too long")
	case id.ETag != nil || id.LastModifiedTime != nil || id.Size != nil:
		return nil, protocol.Errorf("NotImplemented", "Fargo does not implement conditions on the objects that DeleteObjects deletes.")
	case version != "" && version != "null":
		return nil, protocol.Errorf("NoSuchVersion", "The specified version does not exist.")
	}
	old, ok := store.Objects.Get(tx, record.ObjectKey(b.Name, key))
	if !ok {
		return nil, nil
	}
	store.Objects.Delete(tx, old.Key())
	return old.Blobs, nil
}

func malformedXML() error {
	return protocol.Errorf("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}
