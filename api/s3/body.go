package s3

import (
	"context"
	"crypto/md5"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"strings"

	"fargo/aws/protocol"
	"fargo/aws/s3"
	"fargo/aws/sigv4"
	"fargo/record"
)

// received are contents that a client has sent: a file that no record names yet.
type received struct {
	blob     record.Blob
	etag     string
	md5      []byte
	checksum *record.ObjectChecksum
}

// expected is what a client has said of the contents that it sends.
type expected struct {
	length    int64 // in bytes; -1 if it did not say
	most      int64 // how many there may be
	md5       *string
	algorithm s3.ChecksumAlgorithm
	value     string // of the checksum; "" when it comes after the contents
}

// mostAtOnce is the largest object, or part, that is sent in one request.
// Source: S3 user guide, "Uploading objects": a single PUT.
const mostAtOnce = 5 << 30

// receive writes a body to a file, and checks it against what the client has said.
func (s *Server) receive(ctx context.Context, body io.Reader, want expected) (*received, error) {
	if body == nil {
		body = strings.NewReader("")
	}
	if want.length > want.most {
		return nil, tooLarge(want.length, want.most)
	}
	sums := md5.New()
	checksum := checksums[want.algorithm].hash()
	blob, err := s.Contents.Write(ctx, io.TeeReader(&limited{body, want.most}, both{sums, checksum}))
	if err != nil {
		return nil, err
	}
	got := &received{blob: blob, md5: sums.Sum(nil)}
	got.etag = hex.EncodeToString(got.md5)
	got.checksum = &record.ObjectChecksum{Algorithm: want.algorithm, Value: encodeSum(checksum.Sum(nil)), Type: s3.ChecksumTypeFullObject}
	if b, ok := body.(*sigv4.Body); ok && want.value == "" {
		if want.value = b.Trailer(header(want.algorithm)); want.value != "" {
			if err := checkValue(want.algorithm, want.value); err != nil {
				s.Contents.Remove(blob)
				return nil, err
			}
		}
	}
	if err := want.check(got); err != nil {
		s.Contents.Remove(blob)
		return nil, err
	}
	return got, nil
}

// check compares what was received with what was expected.
func (e *expected) check(got *received) error {
	if e.length >= 0 && got.blob.Size != e.length {
		return protocol.Errorf("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
	}
	if e.md5 != nil {
		sum, err := base64.StdEncoding.DecodeString(*e.md5)
		if err != nil || len(sum) != md5.Size {
			return protocol.Errorf("InvalidDigest", "The Content-MD5 you specified was invalid.")
		}
		if subtle.ConstantTimeCompare(sum, got.md5) == 0 {
			return protocol.Errorf("BadDigest", "The Content-MD5 you specified did not match what we received.")
		}
	}
	if e.value != "" && e.value != got.checksum.Value {
		return badDigest(e.algorithm)
	}
	return nil
}

func tooLarge(size, most int64) error {
	return protocol.Errorf("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size").WithField("ProposedSize", size).WithField("MaxSizeAllowed", most)
}

// limited is a reader that fails when there is more than it may be.
type limited struct {
	io.Reader
	left int64
}

// Read implements [io.Reader].
func (l *limited) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return n, tooLarge(mostAtOnce-l.left, mostAtOnce)
	}
	return n, err
}

// both writes to two hashes, which never fail.
type both [2]hash.Hash

// Write implements [io.Writer].
func (b both) Write(p []byte) (int, error) {
	b[0].Write(p)
	return b[1].Write(p)
}

// expect puts together what an input and the headers of a request say of a body.
func expect(in any, asked s3.ChecksumAlgorithm, body io.ReadCloser, contentLength *int64, contentMD5 *string) (expected, error) {
	e := expected{length: -1, most: mostAtOnce, md5: contentMD5}
	if contentLength != nil {
		e.length = *contentLength
	}
	announced := ""
	if b, ok := body.(*sigv4.Body); ok {
		e.length, announced = b.Length, b.Announced // without what is between chunks
	}
	if e.length < 0 {
		return e, protocol.Errorf("MissingContentLength", "You must provide the Content-Length HTTP header.").WithStatus(http.StatusLengthRequired)
	}
	var err error
	if e.algorithm, e.value, err = givenChecksum(in); err != nil {
		return e, err
	}
	if e.algorithm != "" && asked != "" && asked != e.algorithm {
		return e, protocol.Errorf("InvalidRequest", "Value for x-amz-sdk-checksum-algorithm header is invalid.")
	}
	if e.algorithm == "" {
		e.algorithm, err = trailing(announced, asked)
	}
	return e, err
}

// trailing is the algorithm of a checksum that comes after the contents, as the headers
// say: by the trailer's name, and by the algorithm that the SDK was asked for.
func trailing(announced string, asked s3.ChecksumAlgorithm) (s3.ChecksumAlgorithm, error) {
	name, ok := strings.CutPrefix(strings.ToLower(announced), "x-amz-checksum-")
	switch {
	case !ok && asked != "":
		return "", protocol.Errorf("InvalidRequest", "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.")
	case !ok:
		return "", nil
	}
	algorithm := s3.ChecksumAlgorithm(strings.ToUpper(name))
	switch {
	case checksums[algorithm].hash == nil:
		return "", protocol.Errorf("InvalidRequest", "The value specified in the x-amz-trailer header is not supported")
	case asked != "" && asked != algorithm:
		return "", protocol.Errorf("InvalidRequest", "Value for x-amz-sdk-checksum-algorithm header is invalid.")
	}
	return algorithm, nil
}

// CheckBody compares a body that is no object's contents with the digests in the
// headers. It is for [api.Mounted].
func CheckBody(operation string, h http.Header, body []byte) error {
	e := expected{length: -1}
	if given := h.Get("Content-Md5"); given != "" {
		e.md5 = &given
	}
	got := &received{md5: md5Of(body)}
	for a, c := range checksums {
		value := h.Get(header(a))
		if value == "" || operation == "CompleteMultipartUpload" { // where it is the object's
			continue
		}
		if err := checkValue(a, value); err != nil {
			return err
		}
		sum := c.hash()
		sum.Write(body)
		e.algorithm, e.value, got.checksum = a, value, &record.ObjectChecksum{Value: encodeSum(sum.Sum(nil))}
	}
	return e.check(got)
}

func md5Of(body []byte) []byte {
	sum := md5.Sum(body)
	return sum[:]
}
