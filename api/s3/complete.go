package s3

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"fargo/aws"
	"fargo/aws/protocol"
	"fargo/aws/s3"
	"fargo/record"
	"fargo/store"
)

// leastPart is the size in bytes that all parts but the last must have.
const leastPart = 5 << 20

// CompleteMultipartUpload makes an object of an upload's parts. A client that completes
// an upload again gets the same answer for as long as the object is there.
func (s *Server) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	if in.MultipartUpload == nil || len(in.MultipartUpload.Parts) == 0 || len(in.MultipartUpload.Parts) > mostParts {
		return nil, malformedXML()
	}
	algorithm, value, err := givenChecksum(in)
	if err != nil {
		return nil, err
	}
	u, err := s.upload(ctx, s.DB.View(), in.Bucket, in.Key, in.UploadId)
	if err != nil {
		if o, ok := store.Objects.Get(s.DB.View(), record.ObjectKey(*in.Bucket, *in.Key)); ok && o.Upload == *in.UploadId {
			return completed(in, o), nil
		}
		return nil, err
	}
	o := &record.Object{Bucket: u.Bucket, Name: u.Name, Headers: u.Headers, Tags: u.Tags, Upload: u.ID}
	err = s.put(ctx, o, writeCondition{in.IfMatch, in.IfNoneMatch}, func(tx *store.Tx) ([]record.Blob, error) {
		u, err := s.upload(ctx, tx, in.Bucket, in.Key, in.UploadId)
		if err != nil {
			return nil, err
		}
		parts, err := chosenParts(tx, u, in.MultipartUpload.Parts)
		if err != nil {
			return nil, err
		}
		assemble(o, u, parts)
		if algorithm != "" && algorithm == u.Algorithm && value != o.Checksum.Value && value != withoutCount(o.Checksum.Value) {
			return nil, badDigest(algorithm)
		}
		if in.MpuObjectSize != nil && *in.MpuObjectSize != o.Size() {
			return nil, protocol.Errorf("InvalidRequest", "The provided 'x-amz-mp-object-size' header value %d does not match what was computed: %d", *in.MpuObjectSize, o.Size())
		}
		return unchosen(deleteUpload(tx, u), o.Blobs), nil
	})
	if err != nil {
		return nil, err
	}
	return completed(in, o), nil
}

func withoutCount(value string) string {
	value, _, _ = strings.Cut(value, "-")
	return value
}

func completed(in *s3.CompleteMultipartUploadInput, o *record.Object) *s3.CompleteMultipartUploadOutput {
	out := &s3.CompleteMultipartUploadOutput{
		Location: new("http://" + o.Bucket + ".s3.amazonaws.com/" + encodeKey(o.Name)), Bucket: in.Bucket, Key: in.Key, ETag: quoted(o.ETag),
	}
	setChecksum(out, o.Checksum)
	return out
}

// chosenParts are the parts that a request lists, which must be those of the upload.
func chosenParts(r store.Reader, u *record.ObjectUpload, list []s3.CompletedPart) ([]*record.ObjectPart, error) {
	var parts []*record.ObjectPart
	last := int32(0)
	for i, listed := range list {
		number := aws.Value(listed.PartNumber)
		if number <= last {
			return nil, protocol.Errorf("InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.").WithField("UploadId", u.ID)
		}
		last = number
		p, ok := store.ObjectParts.Get(r, record.ObjectPartKey(u.ID, number))
		if !ok || strings.Trim(aws.Value(listed.ETag), `"`) != p.ETag {
			return nil, protocol.Errorf("InvalidPart", "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.").
				WithField("UploadId", u.ID).WithField("PartNumber", number).WithField("ETag", strings.Trim(aws.Value(listed.ETag), `"`))
		}
		algorithm, value, err := givenChecksum(&list[i])
		if err != nil {
			return nil, err
		}
		if algorithm == u.Algorithm && value != p.Checksum.Value {
			return nil, protocol.Errorf("InvalidPart", "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.").
				WithField("UploadId", u.ID).WithField("PartNumber", number)
		}
		if p.Blob.Size < leastPart && i < len(list)-1 {
			return nil, protocol.Errorf("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size").
				WithField("ETag", p.ETag).WithField("MinSizeAllowed", leastPart).WithField("PartNumber", number).WithField("ProposedSize", p.Blob.Size)
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// assemble gives an object the contents, the ETag and the checksum of parts.
func assemble(o *record.Object, u *record.ObjectUpload, parts []*record.ObjectPart) {
	o.Blobs = record.BlobsOf(parts)
	sums := md5.New()
	for _, p := range parts {
		sum, _ := hex.DecodeString(p.ETag) // as we have made it
		sums.Write(sum)
	}
	o.ETag = fmt.Sprintf("%x-%d", sums.Sum(nil), len(parts))
	o.Checksum = &record.ObjectChecksum{Algorithm: u.Algorithm, Type: u.Type}
	if u.Type == s3.ChecksumTypeComposite {
		o.Checksum.Value = fmt.Sprintf("%s-%d", encodeSum(composite(u.Algorithm, parts)), len(parts))
	} else {
		o.Checksum.Value = encodeSum(combined(u.Algorithm, parts))
	}
}

func partSum(p *record.ObjectPart) []byte {
	sum, _ := base64.StdEncoding.DecodeString(p.Checksum.Value) // as we have made it
	return sum
}

// composite is the checksum of the checksums of parts.
func composite(a s3.ChecksumAlgorithm, parts []*record.ObjectPart) []byte {
	sums := checksums[a].hash()
	for _, p := range parts {
		sums.Write(partSum(p))
	}
	return sums.Sum(nil)
}

// combined is the checksum of all contents, from those of the parts. It must be a CRC.
func combined(a s3.ChecksumAlgorithm, parts []*record.ObjectPart) []byte {
	c := checksums[a]
	var crc uint64
	for _, p := range parts {
		crc = combine(c.polynomial, c.bits, crc, bigEndian(partSum(p)), p.Blob.Size)
	}
	sum := make([]byte, c.bits/8)
	for i := range sum {
		sum[len(sum)-1-i] = byte(crc >> (8 * i))
	}
	return sum
}

func bigEndian(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// unchosen are those of all files that are not among the chosen.
func unchosen(all, chosen []record.Blob) (rest []record.Blob) {
	is := map[string]bool{}
	for _, b := range chosen {
		is[b.ID] = true
	}
	for _, b := range all {
		if !is[b.ID] {
			rest = append(rest, b)
		}
	}
	return rest
}
