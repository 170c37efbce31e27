package record

import (
	"time"

	"fargo"
	"fargo/aws/s3"
)

// Bucket is an S3 bucket. Its name is taken in all accounts and regions.
type Bucket struct {
	Name    string
	Scope   fargo.Scope // the owner's account, and the region it is in
	Created time.Time
	Tags    []s3.Tag `json:",omitempty"`
	// Policy is the JSON text as the user wrote it; empty means none.
	Policy string `json:",omitempty"`
	// PublicAccessBlock is what the user set; nil after it was deleted.
	PublicAccessBlock *s3.PublicAccessBlockConfiguration `json:",omitempty"`
	// NoOwnershipControls says that the user has deleted them.
	NoOwnershipControls bool `json:",omitempty"`
	// BucketKey is whether the user wants keys of KMS to be cached, which is shown.
	BucketKey bool `json:",omitempty"`
}

// Key is the bucket's place in the store.
func (b *Bucket) Key() string { return b.Name }

// ARN is that of the bucket.
func (b *Bucket) ARN() string { return BucketARN(b.Name) }

// BucketARN is the ARN of a bucket of a name.
func BucketARN(name string) string { return "arn:aws:s3:::" + name }

// ObjectARN is the ARN of an object.
func ObjectARN(bucket, key string) string { return BucketARN(bucket) + "/" + key }
