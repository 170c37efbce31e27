package s3

import (
	"cmp"
	"context"
	"net/url"
	"strings"

	"fargo/aws"
	"fargo/aws/protocol"
	"fargo/aws/s3"
	"fargo/objects"
	"fargo/record"
	"fargo/store"
)

// parseSource reads x-amz-copy-source: "[/]bucket/key[?versionId=…]", encoded for a URL.
func parseSource(text string) (bucket, key string, err error) {
	path, query, _ := strings.Cut(text, "?")
	path, err = url.PathUnescape(strings.TrimPrefix(path, "/"))
	bucket, key, ok := strings.Cut(path, "/")
	if err != nil || !ok || bucket == "" || key == "" {
		return "", "", invalidArgument("x-amz-copy-source", text, "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
	}
	if v, err := url.ParseQuery(query); err != nil || v.Get("versionId") != "" && v.Get("versionId") != "null" {
		return "", "", invalidArgument("x-amz-copy-source", text, "Invalid version id specified")
	}
	return bucket, key, nil
}

// source opens what is to be copied.
func (s *Server) source(ctx context.Context, text *string, c readCondition, span func(*record.Object) (int64, int64, error)) (*record.Object, *objects.Reader, error) {
	bucket, key, err := parseSource(aws.Value(text))
	if err != nil {
		return nil, nil, err
	}
	find := func(r store.Reader) (*record.Object, error) { return s.object(ctx, r, &bucket, &key) }
	return s.open(find, func(o *record.Object) (int64, int64, error) {
		if c.check(o) != nil { // also what a read would answer with NotModified
			return 0, 0, protocol.Errorf("PreconditionFailed", "At least one of the pre-conditions you specified did not hold").WithStatus(412)
		}
		return span(o)
	})
}

// CopyObject makes an object of another one's contents.
func (s *Server) CopyObject(ctx context.Context, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	condition := readCondition{in.CopySourceIfMatch, in.CopySourceIfNoneMatch, in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince}
	from, held, err := s.source(ctx, in.CopySource, condition, func(o *record.Object) (int64, int64, error) { return 0, 0, nil })
	if err != nil {
		return nil, err
	}
	defer held.Close()
	if from.Size() > mostAtOnce {
		return nil, protocol.Errorf("InvalidRequest", "The specified copy source is larger than the maximum allowable size for a copy source: %d", int64(mostAtOnce))
	}
	o, err := copied(from, in)
	if err != nil {
		return nil, err
	}
	write := writeCondition{in.IfMatch, in.IfNoneMatch}
	if err := s.mayPut(ctx, s.DB.View(), o, write); err != nil {
		return nil, err
	}
	if err := s.copyContents(ctx, o, from, held, in.ChecksumAlgorithm); err != nil {
		return nil, err
	}
	if err := s.put(ctx, o, write, nil); err != nil {
		return nil, err
	}
	result := &s3.CopyObjectResult{ETag: quoted(o.ETag), LastModified: &o.Modified}
	setChecksum(result, o.Checksum)
	return &s3.CopyObjectOutput{CopyObjectResult: result}, nil
}

// copied is the record of a copy, without contents: with what the source has or what the
// request says.
func copied(from *record.Object, in *s3.CopyObjectInput) (*record.Object, error) {
	o := &record.Object{Bucket: *in.Bucket, Name: *in.Key, Headers: from.Headers, Tags: from.Tags}
	o.Headers.Redirect = aws.Value(in.WebsiteRedirectLocation)
	replaces := in.MetadataDirective == s3.MetadataDirectiveReplace
	if replaces {
		if err := checkMetadata(in.Metadata); err != nil {
			return nil, err
		}
		o.Headers = record.ObjectHeaders{
			ContentType: cmp.Or(aws.Value(in.ContentType), defaultType), ContentEncoding: encodingOf(in.ContentEncoding),
			ContentDisposition: aws.Value(in.ContentDisposition), ContentLanguage: aws.Value(in.ContentLanguage),
			CacheControl: aws.Value(in.CacheControl), Expires: aws.Value(in.Expires), Redirect: o.Headers.Redirect, Metadata: in.Metadata,
		}
	}
	if in.TaggingDirective == s3.TaggingDirectiveReplace {
		var err error
		if o.Tags, err = parseTagging(in.Tagging); err != nil {
			return nil, err
		}
	}
	if o.Key() == from.Key() && !replaces && o.Headers.Redirect == from.Headers.Redirect && in.TaggingDirective != s3.TaggingDirectiveReplace {
		return nil, protocol.Errorf("InvalidRequest", "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
	}
	return o, nil
}

// copyContents gives a copy its contents: those of a source in one file without reading
// them, unless another checksum is wanted; others are put into one file, as S3 does.
func (s *Server) copyContents(ctx context.Context, o, from *record.Object, held *objects.Reader, wanted s3.ChecksumAlgorithm) error {
	same := from.Checksum != nil && (wanted == "" || wanted == from.Checksum.Algorithm)
	if len(from.Blobs) == 1 && !strings.Contains(from.ETag, "-") && same {
		blob, err := s.Contents.Link(ctx, from.Blobs[0])
		o.Blobs, o.ETag, o.Checksum = []record.Blob{blob}, from.ETag, from.Checksum
		return err
	}
	if wanted == "" && from.Checksum != nil {
		wanted = from.Checksum.Algorithm
	}
	r, err := s.Contents.Read(from.Blobs, 0, from.Size())
	if err != nil {
		return err
	}
	defer r.Close()
	got, err := s.receive(ctx, r, expected{length: from.Size(), most: mostAtOnce, algorithm: cmp.Or(wanted, defaultChecksum)})
	if err != nil {
		return err
	}
	o.Blobs, o.ETag, o.Checksum = []record.Blob{got.blob}, got.etag, got.checksum
	return nil
}
