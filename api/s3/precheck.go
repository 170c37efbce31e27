package s3

import (
	"context"
	"reflect"
	"unicode/utf8"

	"fargo/api"
	"fargo/aws/protocol"
	"fargo/aws/s3"
	"fargo/store"
)

// unsupported are members of many inputs, and the values of them that change nothing.
// Others are refused by name.
var unsupported = []struct {
	member string
	none   []string
	what   string
}{
	{"ServerSideEncryption", []string{string(s3.ServerSideEncryptionAes256)}, "x-amz-server-side-encryption other than AES256"},
	{"SSECustomerAlgorithm", nil, "encryption with keys of customers (x-amz-server-side-encryption-customer-algorithm)"},
	{"CopySourceSSECustomerAlgorithm", nil, "encryption with keys of customers (x-amz-copy-source-server-side-encryption-customer-algorithm)"},
	{"SSEKMSKeyId", nil, "encryption with keys of KMS (x-amz-server-side-encryption-aws-kms-key-id)"},
	{"StorageClass", []string{string(s3.StorageClassStandard)}, "x-amz-storage-class other than STANDARD"},
	{"ObjectLockMode", nil, "Object Lock (x-amz-object-lock-mode)"},
	{"ObjectLockLegalHoldStatus", nil, "Object Lock (x-amz-object-lock-legal-hold)"},
	{"WriteOffsetBytes", nil, "appending to objects (x-amz-write-offset-bytes)"},
	{"ChecksumSHA512", nil, "x-amz-checksum-sha512"},
	{"ChecksumMD5", nil, "x-amz-checksum-md5"},
	{"ChecksumXXHASH64", nil, "x-amz-checksum-xxhash64"},
	{"ChecksumXXHASH3", nil, "x-amz-checksum-xxhash3"},
	{"ChecksumXXHASH128", nil, "x-amz-checksum-xxhash128"},
	{"IfMatchLastModifiedTime", nil, "x-amz-if-match-last-modified-time"},
	{"IfMatchSize", nil, "x-amz-if-match-size"},
	{"MFA", nil, "multi-factor authentication (x-amz-mfa)"},
}

// accessControl are the members that give others access, which a bucket with
// BucketOwnerEnforced refuses.
var accessControl = []string{"GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP", "AccessControlPolicy"}

// maxKey is how long a key may be, in bytes of UTF-8.
const maxKey = 1024

// Precheck implements [api.Prechecker].
func (s *Server) Precheck(ctx context.Context, in any) error {
	v := reflect.ValueOf(in).Elem()
	if key := member(v, "Key"); !utf8.ValidString(key) {
		return protocol.Errorf("InvalidURI", "Couldn't parse the specified URI.")
	} else if len(key) > maxKey {
		return keyTooLong(len(key))
	}
	for _, u := range unsupported {
		if given := member(v, u.member); given != "" && !contains(u.none, given) {
			return notImplemented(u.what)
		}
	}
	switch version := member(v, "VersionId"); version {
	case "", "null":
	default:
		return protocol.Errorf("NoSuchVersion", "The specified version does not exist.").WithStatus(404).WithField("VersionId", version)
	}
	for name, bucket := range map[string]string{"ExpectedBucketOwner": member(v, "Bucket"), "ExpectedSourceBucketOwner": sourceBucket(v)} {
		if expected := member(v, name); expected != "" {
			if b, ok := store.Buckets.Get(s.DB.View(), bucket); ok && b.Scope.Account != expected {
				return accessDenied()
			}
		}
	}
	return checkAccessControl(v, api.CallFrom(ctx).Operation)
}

func keyTooLong(size int) error {
	return protocol.Errorf("KeyTooLongError", "Your key is too long").WithField("Size", size).WithField("MaxSizeAllowed", maxKey)
}

// checkAccessControl refuses what would give others access. All buckets have
// BucketOwnerEnforced.
// Source: S3 user guide, "Controlling ownership of objects and disabling ACLs".
func checkAccessControl(v reflect.Value, operation string) error {
	refused := false
	for _, name := range accessControl {
		if f := v.FieldByName(name); f.IsValid() && !f.IsZero() {
			refused = true
		}
	}
	acl := member(v, "ACL")
	switch {
	case operation == "CreateBucket" && (refused || acl != "" && acl != string(s3.BucketCannedACLPrivate)):
		return protocol.Errorf("InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
	case operation == "CreateBucket":
		return nil
	case refused, acl != "" && acl != string(s3.ObjectCannedACLBucketOwnerFullControl) && acl != string(s3.ObjectCannedACLPrivate):
		return protocol.Errorf("AccessControlListNotSupported", "The bucket does not allow ACLs")
	}
	return nil
}

// memberOf is a member of an input as text; "" when the input is not there.
func memberOf[In any](in *In, name string) string {
	if in == nil {
		return ""
	}
	return member(reflect.ValueOf(in).Elem(), name)
}

// member is a member of an input as text; "" when it is absent or not there.
func member(v reflect.Value, name string) string {
	f := v.FieldByName(name)
	if !f.IsValid() || f.IsZero() {
		return ""
	}
	if f.Kind() == reflect.Pointer {
		f = f.Elem()
	}
	if f.Kind() != reflect.String {
		return "given"
	}
	return f.String()
}

func sourceBucket(v reflect.Value) string {
	bucket, _, _ := parseSource(member(v, "CopySource"))
	return bucket
}

func contains(all []string, one string) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}
