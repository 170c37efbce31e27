package s3

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fargo/api"
	"fargo/aws"
	"fargo/aws/protocol"
	"fargo/aws/s3"
	"fargo/record"
	"fargo/store"
)

// readCondition is on how an object must be for a read to be answered with it.
type readCondition struct {
	match, noneMatch           *string
	modifiedSince, unmodifySin *time.Time
}

// check follows RFC 9110, section 13.2.2, as S3 does: ETags before times.
func (c readCondition) check(o *record.Object) error {
	failed := func(name string) error {
		return protocol.Errorf("PreconditionFailed", "At least one of the pre-conditions you specified did not hold").WithStatus(http.StatusPreconditionFailed).WithField("Condition", name)
	}
	same := protocol.Errorf("NotModified", "Not Modified").WithStatus(http.StatusNotModified)
	switch {
	case c.match != nil && !matches(*c.match, o.ETag):
		return failed("If-Match")
	case c.match == nil && c.unmodifySin != nil && o.Modified.After(*c.unmodifySin):
		return failed("If-Unmodified-Since")
	case c.noneMatch != nil && matches(*c.noneMatch, o.ETag):
		return same
	case c.noneMatch == nil && c.modifiedSince != nil && !o.Modified.After(*c.modifiedSince):
		return same
	}
	return nil
}

// matches reports whether an ETag is in a list of ETags.
func matches(list, etag string) bool {
	for given := range strings.SplitSeq(list, ",") {
		given = strings.TrimPrefix(strings.TrimSpace(given), "W/")
		if given == "*" || strings.Trim(given, `"`) == etag {
			return true
		}
	}
	return false
}

// span is the part of an object that is asked for.
type span struct {
	offset, size, all int64
	partial           bool
	parts             int32 // of the object, when one of them was asked for
}

// spanOf is the span of a Range or of a part number. A Range that cannot be understood
// is no Range.
// Source: RFC 9110, section 14.2; of parts, the S3 API reference, GetObject.
func spanOf(o *record.Object, ranges *string, part *int32) (span, error) {
	all := o.Size()
	if part != nil {
		return spanOfPart(o, *part, all)
	}
	first, last, ok := parseRange(aws.Value(ranges))
	switch {
	case !ok:
		return span{size: all, all: all}, nil
	case first < 0: // the last bytes
		first, last = max(0, all-last), all-1
	}
	if first >= all || last < first {
		return span{}, protocol.Errorf("InvalidRange", "The requested range is not satisfiable").WithStatus(http.StatusRequestedRangeNotSatisfiable).
			WithField("RangeRequested", *ranges).WithField("ActualObjectSize", all)
	}
	return span{offset: first, size: min(last, all-1) - first + 1, all: all, partial: true}, nil
}

func spanOfPart(o *record.Object, number int32, all int64) (span, error) {
	if number < 1 || int(number) > max(1, len(o.Blobs)) {
		return span{}, protocol.Errorf("InvalidPartNumber", "The requested partnumber is not satisfiable").WithStatus(http.StatusRequestedRangeNotSatisfiable).
			WithField("PartNumberRequested", number).WithField("ActualPartCount", len(o.Blobs))
	}
	p := span{size: o.Blobs[number-1].Size, all: all, partial: true}
	if strings.Contains(o.ETag, "-") {
		p.parts = int32(len(o.Blobs))
	}
	for _, b := range o.Blobs[:number-1] {
		p.offset += b.Size
	}
	return p, nil
}

// parseRange reads "bytes=first-last"; without first it gives -1 and how many bytes at
// the end.
func parseRange(text string) (first, last int64, ok bool) {
	text, ok = strings.CutPrefix(text, "bytes=")
	from, to, dash := strings.Cut(text, "-")
	if !ok || !dash {
		return 0, 0, false
	}
	const end = 1<<63 - 1
	var err1, err2 error
	if first, last = -1, end; from != "" {
		first, err1 = strconv.ParseInt(from, 10, 64)
	}
	if to != "" {
		last, err2 = strconv.ParseInt(to, 10, 64)
	}
	return first, last, err1 == nil && err2 == nil && (from != "" || to != "") && last >= 0 && (first < 0) == (from == "") && (from == "" || last >= first)
}

func (p span) header() *string {
	return new(fmt.Sprintf("bytes %d-%d/%d", p.offset, p.offset+p.size-1, p.all))
}

// HeadObject shows an object without its contents.
func (s *Server) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	o, err := s.object(ctx, s.DB.View(), in.Bucket, in.Key)
	if err != nil {
		return nil, err
	}
	if err := (readCondition{in.IfMatch, in.IfNoneMatch, in.IfModifiedSince, in.IfUnmodifiedSince}).check(o); err != nil {
		return nil, err
	}
	p, err := spanOf(o, in.Range, in.PartNumber)
	if err != nil {
		return nil, err
	}
	h := &o.Headers
	out := &s3.HeadObjectOutput{
		AcceptRanges: new("bytes"), LastModified: &o.Modified, ETag: quoted(o.ETag), ContentLength: &p.size,
		ContentType: aws.NonZero(h.ContentType), ContentEncoding: aws.NonZero(h.ContentEncoding), ContentDisposition: aws.NonZero(h.ContentDisposition),
		ContentLanguage: aws.NonZero(h.ContentLanguage), CacheControl: aws.NonZero(h.CacheControl), Expires: aws.NonZero(h.Expires),
		WebsiteRedirectLocation: aws.NonZero(h.Redirect), Metadata: h.Metadata, PartsCount: aws.NonZero(p.parts), TagCount: aws.NonZero(int32(len(o.Tags))),
	}
	if p.partial {
		out.ContentRange = p.header()
		api.CallFrom(ctx).Reply.Status = http.StatusPartialContent
	} else if in.ChecksumMode == s3.ChecksumModeEnabled {
		setChecksum(out, o.Checksum)
	}
	override(&out.CacheControl, in.ResponseCacheControl)
	override(&out.ContentDisposition, in.ResponseContentDisposition)
	override(&out.ContentEncoding, in.ResponseContentEncoding)
	override(&out.ContentLanguage, in.ResponseContentLanguage)
	override(&out.ContentType, in.ResponseContentType)
	override(&out.Expires, in.ResponseExpires)
	return out, nil
}

// override replaces what an object has by what the request wants to be answered.
func override[T any](value **T, wanted *T) {
	if wanted != nil {
		*value = wanted
	}
}

// GetObject answers with an object.
func (s *Server) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	var p span
	find := func(r store.Reader) (*record.Object, error) { return s.object(ctx, r, in.Bucket, in.Key) }
	o, contents, err := s.open(find, func(o *record.Object) (int64, int64, error) {
		err := (readCondition{in.IfMatch, in.IfNoneMatch, in.IfModifiedSince, in.IfUnmodifiedSince}).check(o)
		if err == nil {
			p, err = spanOf(o, in.Range, in.PartNumber)
		}
		return p.offset, p.size, err
	})
	if err != nil {
		return nil, err
	}
	h := &o.Headers
	out := &s3.GetObjectOutput{
		Body: contents, AcceptRanges: new("bytes"), LastModified: &o.Modified, ETag: quoted(o.ETag), ContentLength: &p.size,
		ContentType: aws.NonZero(h.ContentType), ContentEncoding: aws.NonZero(h.ContentEncoding), ContentDisposition: aws.NonZero(h.ContentDisposition),
		ContentLanguage: aws.NonZero(h.ContentLanguage), CacheControl: aws.NonZero(h.CacheControl), Expires: aws.NonZero(h.Expires),
		WebsiteRedirectLocation: aws.NonZero(h.Redirect), Metadata: h.Metadata, PartsCount: aws.NonZero(p.parts), TagCount: aws.NonZero(int32(len(o.Tags))),
	}
	if p.partial {
		out.ContentRange = p.header()
		api.CallFrom(ctx).Reply.Status = http.StatusPartialContent
	} else if in.ChecksumMode == s3.ChecksumModeEnabled {
		setChecksum(out, o.Checksum)
	}
	override(&out.CacheControl, in.ResponseCacheControl)
	override(&out.ContentDisposition, in.ResponseContentDisposition)
	override(&out.ContentEncoding, in.ResponseContentEncoding)
	override(&out.ContentLanguage, in.ResponseContentLanguage)
	override(&out.ContentType, in.ResponseContentType)
	override(&out.Expires, in.ResponseExpires)
	return out, nil
}

const mostPartsShown = 1000

// GetObjectAttributes shows parts of what is known of an object.
func (s *Server) GetObjectAttributes(ctx context.Context, in *s3.GetObjectAttributesInput) (*s3.GetObjectAttributesOutput, error) {
	o, err := s.object(ctx, s.DB.View(), in.Bucket, in.Key)
	if err != nil {
		return nil, err
	}
	out := &s3.GetObjectAttributesOutput{LastModified: &o.Modified}
	for _, a := range in.ObjectAttributes {
		switch a {
		case s3.ObjectAttributesETag:
			out.ETag = &o.ETag
		case s3.ObjectAttributesObjectSize:
			out.ObjectSize = new(o.Size())
		case s3.ObjectAttributesStorageClass:
			out.StorageClass = s3.StorageClassStandard
		case s3.ObjectAttributesChecksum:
			if o.Checksum != nil {
				out.Checksum = &s3.Checksum{}
				setChecksum(out.Checksum, o.Checksum)
			}
		case s3.ObjectAttributesObjectParts:
			out.ObjectParts = partsOf(o, in)
		}
	}
	return out, nil
}

// partsOf shows the parts of an object that was made of some.
func partsOf(o *record.Object, in *s3.GetObjectAttributesInput) *s3.GetObjectAttributesParts {
	if !strings.Contains(o.ETag, "-") {
		return nil
	}
	marker, most := aws.Value(in.PartNumberMarker), min(aws.ValueOr(in.MaxParts, mostPartsShown), mostPartsShown)
	out := &s3.GetObjectAttributesParts{
		TotalPartsCount: new(int32(len(o.Blobs))), PartNumberMarker: &marker, MaxParts: &most, IsTruncated: new(false), NextPartNumberMarker: new(marker),
	}
	for i, b := range o.Blobs {
		number := int32(i + 1)
		switch {
		case number <= marker:
		case int32(len(out.Parts)) == most:
			*out.IsTruncated = true
			return out
		default:
			out.Parts = append(out.Parts, s3.ObjectPart{PartNumber: &number, Size: &b.Size})
			*out.NextPartNumberMarker = number
		}
	}
	return out
}
