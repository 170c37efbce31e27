package s3

import (
	"cmp"
	"context"
	"encoding/hex"
	"strings"

	"github.com/google/uuid"

	"fargo/api"
	"fargo/aws"
	"fargo/aws/protocol"
	"fargo/aws/s3"
	"fargo/record"
	"fargo/store"
)

// mostParts is how many parts an upload may have.
// Source: S3 user guide, "Amazon S3 multipart upload limits".
const mostParts = 10_000

func noSuchUpload(id string) error {
	return s3.NoSuchUpload("The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.").WithField("UploadId", id)
}

// CreateMultipartUpload begins an upload.
func (s *Server) CreateMultipartUpload(ctx context.Context, in *s3.CreateMultipartUploadInput) (*s3.CreateMultipartUploadOutput, error) {
	id, err := uuid.NewV7() // in the order of time
	if err != nil {
		return nil, err
	}
	u := &record.ObjectUpload{
		Bucket: *in.Bucket, Name: *in.Key, ID: hex.EncodeToString(id[:]), Initiated: now(), Initiator: api.CallFrom(ctx).PrincipalARN,
		Headers: record.ObjectHeaders{
			ContentType: cmp.Or(aws.Value(in.ContentType), defaultType), ContentEncoding: encodingOf(in.ContentEncoding),
			ContentDisposition: aws.Value(in.ContentDisposition), ContentLanguage: aws.Value(in.ContentLanguage),
			CacheControl: aws.Value(in.CacheControl), Expires: aws.Value(in.Expires), Redirect: aws.Value(in.WebsiteRedirectLocation), Metadata: in.Metadata,
		},
	}
	if u.Algorithm, u.Type, err = uploadChecksum(in.ChecksumAlgorithm, in.ChecksumType); err != nil {
		return nil, err
	}
	if u.Tags, err = parseTagging(in.Tagging); err != nil {
		return nil, err
	}
	if err := checkMetadata(in.Metadata); err != nil {
		return nil, err
	}
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := s.bucket(ctx, tx, in.Bucket); err != nil {
			return err
		}
		store.ObjectUploads.Put(tx, u)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &s3.CreateMultipartUploadOutput{Bucket: in.Bucket, Key: in.Key, UploadId: &u.ID, ChecksumAlgorithm: in.ChecksumAlgorithm, ChecksumType: checksumTypeShown(in, u)}, nil
}

func checksumTypeShown(in *s3.CreateMultipartUploadInput, u *record.ObjectUpload) s3.ChecksumType {
	if in.ChecksumAlgorithm == "" {
		return ""
	}
	return u.Type
}

// uploadChecksum is the checksum that an object of parts gets: that of all contents, or
// one of the checksums of its parts.
func uploadChecksum(algorithm s3.ChecksumAlgorithm, kind s3.ChecksumType) (s3.ChecksumAlgorithm, s3.ChecksumType, error) {
	if algorithm == "" {
		if kind != "" {
			return "", "", protocol.Errorf("InvalidRequest", "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
		}
		return defaultChecksum, s3.ChecksumTypeFullObject, nil
	}
	c, known := checksums[algorithm]
	switch {
	case !known:
		return "", "", notImplemented(header(algorithm))
	case kind == "" && algorithm == s3.ChecksumAlgorithmCrc64nvme:
		kind = s3.ChecksumTypeFullObject
	case kind == "":
		kind = s3.ChecksumTypeComposite
	case kind == s3.ChecksumTypeComposite && algorithm == s3.ChecksumAlgorithmCrc64nvme, kind == s3.ChecksumTypeFullObject && c.polynomial == 0:
		return "", "", protocol.Errorf("InvalidRequest", "The %s checksum type cannot be used with the %s checksum algorithm.", kind, strings.ToLower(string(algorithm)))
	}
	return algorithm, kind, nil
}

// upload finds an upload in a bucket that the caller may name.
func (s *Server) upload(ctx context.Context, r store.Reader, bucket, key, id *string) (*record.ObjectUpload, error) {
	if _, err := s.bucket(ctx, r, bucket); err != nil {
		return nil, err
	}
	u, ok := store.ObjectUploads.Get(r, record.ObjectUploadKey(*bucket, *key, aws.Value(id)))
	if !ok {
		return nil, noSuchUpload(aws.Value(id))
	}
	return u, nil
}

func checkPartNumber(n *int32) error {
	if *n < 1 || *n > mostParts {
		return invalidArgument("partNumber", "", "Part number must be an integer between 1 and 10000, inclusive")
	}
	return nil
}

// UploadPart adds a part to an upload, or replaces one.
func (s *Server) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	if err := checkPartNumber(in.PartNumber); err != nil {
		return nil, err
	}
	u, err := s.upload(ctx, s.DB.View(), in.Bucket, in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	want, err := expect(in, in.ChecksumAlgorithm, in.Body, in.ContentLength, in.ContentMD5)
	if err != nil {
		return nil, err
	}
	if want.algorithm != "" && want.algorithm != u.Algorithm && u.Type == s3.ChecksumTypeComposite {
		return nil, protocol.Errorf("InvalidRequest", "Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s", strings.ToLower(string(u.Algorithm)), strings.ToLower(string(want.algorithm)))
	}
	got, err := s.receivePart(ctx, in, want, u)
	if err != nil {
		return nil, err
	}
	part := &record.ObjectPart{Upload: u.ID, Number: *in.PartNumber, Blob: got.blob, ETag: got.etag, Modified: now(), Checksum: got.checksum}
	if err := s.putPart(ctx, u, part); err != nil {
		return nil, err
	}
	out := &s3.UploadPartOutput{ETag: quoted(part.ETag)}
	setChecksum(out, part.Checksum)
	return out, nil
}

// receivePart receives a part with a checksum of the upload's algorithm. A client may
// check a part by another one, of which nothing is kept.
func (s *Server) receivePart(ctx context.Context, in *s3.UploadPartInput, want expected, u *record.ObjectUpload) (*received, error) {
	if want.algorithm == "" {
		want.algorithm = u.Algorithm
	}
	got, err := s.receive(ctx, in.Body, want)
	if err != nil || want.algorithm == u.Algorithm {
		return got, err
	}
	r, err := s.Contents.Read([]record.Blob{got.blob}, 0, got.blob.Size)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	sum := checksums[u.Algorithm].hash()
	if _, err := r.WriteTo(sum); err != nil {
		s.Contents.Remove(got.blob)
		return nil, err
	}
	got.checksum = &record.ObjectChecksum{Algorithm: u.Algorithm, Value: encodeSum(sum.Sum(nil)), Type: u.Type}
	return got, nil
}

// putPart makes a record for a part. When there is no upload any more, the contents are
// removed.
func (s *Server) putPart(ctx context.Context, u *record.ObjectUpload, p *record.ObjectPart) error {
	var gone []record.Blob
	refused := false
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		gone, refused = nil, true
		if _, err := s.upload(ctx, tx, &u.Bucket, &u.Name, &u.ID); err != nil {
			return err
		}
		if old, ok := store.ObjectParts.Get(tx, p.Key()); ok {
			gone = append(gone, old.Blob)
		}
		store.ObjectParts.Put(tx, p)
		refused = false
		return nil
	})
	if err == nil {
		s.Contents.Remove(gone...)
	} else if refused {
		s.Contents.Remove(p.Blob)
	}
	return err
}

// UploadPartCopy adds a part with contents of an object.
func (s *Server) UploadPartCopy(ctx context.Context, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	if err := checkPartNumber(in.PartNumber); err != nil {
		return nil, err
	}
	u, err := s.upload(ctx, s.DB.View(), in.Bucket, in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	condition := readCondition{in.CopySourceIfMatch, in.CopySourceIfNoneMatch, in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince}
	var size int64
	_, r, err := s.source(ctx, in.CopySource, condition, func(o *record.Object) (offset, n int64, err error) {
		offset, size, err = copyRange(o, in.CopySourceRange)
		return offset, size, err
	})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	got, err := s.receive(ctx, r, expected{length: size, most: mostAtOnce, algorithm: u.Algorithm})
	if err != nil {
		return nil, err
	}
	part := &record.ObjectPart{Upload: u.ID, Number: *in.PartNumber, Blob: got.blob, ETag: got.etag, Modified: now(), Checksum: got.checksum}
	if err := s.putPart(ctx, u, part); err != nil {
		return nil, err
	}
	result := &s3.CopyPartResult{ETag: quoted(part.ETag), LastModified: &part.Modified}
	setChecksum(result, part.Checksum)
	return &s3.UploadPartCopyOutput{CopyPartResult: result}, nil
}

// copyRange is the part of an object that x-amz-copy-source-range names.
func copyRange(o *record.Object, text *string) (offset, size int64, err error) {
	if text == nil {
		return whole(o)
	}
	first, last, ok := parseRange(*text)
	if !ok || first < 0 || strings.HasSuffix(*text, "-") {
		return 0, 0, invalidArgument("x-amz-copy-source-range", *text, "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy")
	}
	if last >= o.Size() {
		return 0, 0, invalidArgument("x-amz-copy-source-range", *text, "Range specified is not valid for source object of size: %d", o.Size())
	}
	return first, last - first + 1, nil
}

// deleteUpload deletes an upload and its parts, and gives their contents.
func deleteUpload(tx *store.Tx, u *record.ObjectUpload) (gone []record.Blob) {
	for p := range store.Parts(tx, u.ID) {
		gone = append(gone, p.Blob)
		store.ObjectParts.Delete(tx, p.Key())
	}
	store.ObjectUploads.Delete(tx, u.Key())
	return gone
}

// AbortMultipartUpload ends an upload without an object.
func (s *Server) AbortMultipartUpload(ctx context.Context, in *s3.AbortMultipartUploadInput) (*s3.AbortMultipartUploadOutput, error) {
	var gone []record.Blob
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		u, err := s.upload(ctx, tx, in.Bucket, in.Key, in.UploadId)
		if err == nil {
			gone = deleteUpload(tx, u)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	s.Contents.Remove(gone...)
	return &s3.AbortMultipartUploadOutput{}, nil
}

// ListParts lists the parts of an upload.
func (s *Server) ListParts(ctx context.Context, in *s3.ListPartsInput) (*s3.ListPartsOutput, error) {
	r := s.DB.View()
	u, err := s.upload(ctx, r, in.Bucket, in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	most, err := pageSize("max-parts", in.MaxParts)
	if err != nil {
		return nil, err
	}
	account := api.CallFrom(ctx).Account
	out := &s3.ListPartsOutput{
		Bucket: in.Bucket, Key: in.Key, UploadId: &u.ID, MaxParts: new(int32(most)), PartNumberMarker: new(aws.Value(in.PartNumberMarker)),
		NextPartNumberMarker: new(int32(0)), IsTruncated: new(false), StorageClass: s3.StorageClassStandard,
		Owner: owner(account), Initiator: &s3.Initiator{ID: &u.Initiator, DisplayName: &u.Initiator}, ChecksumAlgorithm: u.Algorithm, ChecksumType: u.Type,
	}
	for p := range store.Parts(r, u.ID) {
		if p.Number <= *out.PartNumberMarker {
			continue
		}
		if len(out.Parts) == most {
			*out.IsTruncated = true
			break
		}
		part := s3.Part{PartNumber: &p.Number, LastModified: &p.Modified, ETag: quoted(p.ETag), Size: &p.Blob.Size}
		setChecksum(&part, p.Checksum)
		out.Parts, *out.NextPartNumberMarker = append(out.Parts, part), p.Number
	}
	return out, nil
}

// ListMultipartUploads lists the uploads of a bucket that are under way.
func (s *Server) ListMultipartUploads(ctx context.Context, in *s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, error) {
	if in.Delimiter != nil {
		return nil, notImplemented("delimiters in ListMultipartUploads")
	}
	r := s.DB.View()
	b, err := s.bucket(ctx, r, in.Bucket)
	if err != nil {
		return nil, err
	}
	most, err := pageSize("max-uploads", in.MaxUploads)
	if err != nil {
		return nil, err
	}
	encode := encoder(in.EncodingType)
	out := &s3.ListMultipartUploadsOutput{
		Bucket: &b.Name, Prefix: encode(aws.Value(in.Prefix)), KeyMarker: encode(aws.Value(in.KeyMarker)), UploadIdMarker: new(aws.Value(in.UploadIdMarker)),
		MaxUploads: new(int32(most)), IsTruncated: new(false), EncodingType: in.EncodingType,
	}
	for u := range store.ObjectUploads.Prefix(r, record.ObjectKey(b.Name, aws.Value(in.Prefix))) {
		if !isAfter(u, aws.Value(in.KeyMarker), aws.Value(in.UploadIdMarker)) {
			continue
		}
		if len(out.Uploads) == most {
			last := out.Uploads[most-1]
			*out.IsTruncated, out.NextKeyMarker, out.NextUploadIdMarker = true, last.Key, last.UploadId
			break
		}
		out.Uploads = append(out.Uploads, s3.MultipartUpload{
			Key: encode(u.Name), UploadId: &u.ID, Initiated: &u.Initiated, StorageClass: s3.StorageClassStandard, Owner: owner(b.Scope.Account),
			Initiator: &s3.Initiator{ID: &u.Initiator, DisplayName: &u.Initiator}, ChecksumAlgorithm: u.Algorithm, ChecksumType: u.Type,
		})
	}
	return out, nil
}

// isAfter reports whether an upload comes after markers: a key, or one of its uploads.
func isAfter(u *record.ObjectUpload, key, id string) bool {
	if id == "" {
		return key == "" || u.Name > key
	}
	return u.Name > key || u.Name == key && u.ID > id
}
