package record

import (
	"slices"
	"time"

	"fargo/aws/s3"
)

// Object is an S3 object. The record is the truth: a file that no record names is
// garbage, and one that a record names was synced before.
type Object struct {
	Bucket string
	Name   string // the object's key: up to 1024 bytes of any text
	// Blobs are the contents, in order: one, or one for each part of a multipart upload.
	// No other record names them.
	Blobs    []Blob
	ETag     string // without quotes: MD5 in hexadecimal, or "MD5 of MD5s-number of parts"
	Modified time.Time
	Headers  ObjectHeaders
	Tags     []s3.Tag        `json:",omitempty"`
	Checksum *ObjectChecksum `json:",omitempty"`
	// Upload is the multipart upload that the object was made by, so that a client which
	// completes it again gets the same answer. Empty for other objects.
	Upload string `json:",omitempty"`
}

// Blob is a file of contents.
type Blob struct {
	ID   string // of 32 hexadecimal digits: the file's name
	Size int64
}

// ObjectHeaders are what a client gave to be answered with the object.
type ObjectHeaders struct {
	ContentType        string            `json:",omitempty"`
	ContentEncoding    string            `json:",omitempty"`
	ContentDisposition string            `json:",omitempty"`
	ContentLanguage    string            `json:",omitempty"`
	CacheControl       string            `json:",omitempty"`
	Expires            time.Time         `json:",omitzero"`
	Redirect           string            `json:",omitempty"` // x-amz-website-redirect-location
	Metadata           map[string]string `json:",omitempty"` // x-amz-meta-…, in lower case
}

// ObjectChecksum is a checksum of contents that a client has given, and that was right.
type ObjectChecksum struct {
	Algorithm s3.ChecksumAlgorithm
	Value     string // Base64; of a composite one with the number of parts: "…-3"
	Type      s3.ChecksumType
}

// Key is the object's place in the store: objects of a bucket are in the order of
// their keys, since the name of a bucket has no slash.
func (o *Object) Key() string { return ObjectKey(o.Bucket, o.Name) }

// ObjectKey is the store key of an object. With an empty name it is the prefix of all
// objects of a bucket, and of no other's.
func ObjectKey(bucket, name string) string { return bucket + "/" + name }

// Size is the length of the contents in bytes.
func (o *Object) Size() (size int64) {
	for _, b := range o.Blobs {
		size += b.Size
	}
	return size
}

// ObjectUpload is a multipart upload that was neither completed nor aborted.
type ObjectUpload struct {
	Bucket    string
	Name      string // the object's key
	ID        string
	Initiated time.Time
	Headers   ObjectHeaders
	Tags      []s3.Tag `json:",omitempty"`
	// Algorithm and Type are of the checksum that the object is to have; empty for none.
	Algorithm s3.ChecksumAlgorithm `json:",omitempty"`
	Type      s3.ChecksumType      `json:",omitempty"`
	// Initiator is the ARN of who began it.
	Initiator string
}

// Key is the upload's place in the store: in the order of ListMultipartUploads. An id
// has no character below those of text, so that no object's key runs into it.
func (u *ObjectUpload) Key() string { return ObjectUploadKey(u.Bucket, u.Name, u.ID) }

// ObjectUploadKey is the store key of an upload.
func ObjectUploadKey(bucket, name, id string) string {
	return ObjectKey(bucket, name) + "\x00" + id
}

// ObjectPart is a part of a multipart upload.
type ObjectPart struct {
	Upload   string // the upload's id
	Number   int32
	Blob     Blob
	ETag     string // without quotes: MD5 in hexadecimal
	Modified time.Time
	Checksum *ObjectChecksum `json:",omitempty"`
}

// Key is the part's place in the store: the parts of an upload are in order.
func (p *ObjectPart) Key() string { return ObjectPartKey(p.Upload, p.Number) }

// ObjectPartKey is the store key of a part; its number has five digits at most.
func ObjectPartKey(upload string, number int32) string {
	digits := []byte("00000")
	for i := len(digits) - 1; number > 0 && i >= 0; i-- {
		digits[i] += byte(number % 10)
		number /= 10
	}
	return upload + "/" + string(digits)
}

// BlobsOf are the blobs of parts.
func BlobsOf(parts []*ObjectPart) []Blob {
	blobs := make([]Blob, len(parts))
	for i, p := range parts {
		blobs[i] = p.Blob
	}
	return slices.Clip(blobs)
}
