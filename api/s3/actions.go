package s3

import (
	"strconv"
	"strings"

	"fargo/api"
	"fargo/aws"
	"fargo/aws/s3"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// Actions are what the operations ask IAM for.
// Source: Service Authorization Reference, "Amazon S3".
var Actions = &api.Actions{
	Prefix: "s3",
	Tags:   tagsOf,
	Policy: func(r store.Reader, arn string) (api.ResourcePolicy, bool) {
		if plan.IsLayerBucket(bucketOf(arn)) {
			return api.ResourcePolicy{Document: layerBucketPolicy}, true
		}
		b, ok := store.Buckets.Get(r, bucketOf(arn))
		if !ok || b.Policy == "" {
			return api.ResourcePolicy{}, false
		}
		return api.ResourcePolicy{Document: b.Policy}, true
	},
	Rows: map[string]api.Row{
		"CreateBucket": bucketRow[s3.CreateBucketInput]().Key("s3:locationconstraint", func(_ *api.Query, in *s3.CreateBucketInput) []string {
			if in.CreateBucketConfiguration == nil {
				return nil
			}
			return api.Given(&in.CreateBucketConfiguration.LocationConstraint)
		}),
		"DeleteBucket":      bucketRow[s3.DeleteBucketInput](),
		"HeadBucket":        bucketRow[s3.HeadBucketInput]().As("ListBucket"),
		"GetBucketLocation": bucketRow[s3.GetBucketLocationInput](),
		"ListBuckets":       api.AnyResource[s3.ListBucketsInput]().As("ListAllMyBuckets"),
		"ListObjects": listRow(func(in *s3.ListObjectsInput) (prefix, delimiter *string, most *int32) {
			return in.Prefix, in.Delimiter, in.MaxKeys
		}),
		"ListObjectsV2": listRow(func(in *s3.ListObjectsV2Input) (prefix, delimiter *string, most *int32) {
			return in.Prefix, in.Delimiter, in.MaxKeys
		}),
		"ListObjectVersions": listRow(func(in *s3.ListObjectVersionsInput) (prefix, delimiter *string, most *int32) {
			return in.Prefix, in.Delimiter, in.MaxKeys
		}).As("ListBucketVersions"),
		"ListMultipartUploads": bucketRow[s3.ListMultipartUploadsInput]().As("ListBucketMultipartUploads"),

		"GetBucketAccelerateConfiguration":   bucketRow[s3.GetBucketAccelerateConfigurationInput]().As("GetAccelerateConfiguration"),
		"GetBucketAcl":                       bucketRow[s3.GetBucketAclInput](),
		"GetBucketCors":                      bucketRow[s3.GetBucketCorsInput]().As("GetBucketCORS"),
		"GetBucketEncryption":                bucketRow[s3.GetBucketEncryptionInput]().As("GetEncryptionConfiguration"),
		"GetBucketLifecycleConfiguration":    bucketRow[s3.GetBucketLifecycleConfigurationInput]().As("GetLifecycleConfiguration"),
		"GetBucketLogging":                   bucketRow[s3.GetBucketLoggingInput](),
		"GetBucketNotificationConfiguration": bucketRow[s3.GetBucketNotificationConfigurationInput]().As("GetBucketNotification"),
		"GetBucketOwnershipControls":         bucketRow[s3.GetBucketOwnershipControlsInput](),
		"GetBucketPolicy":                    bucketRow[s3.GetBucketPolicyInput](),
		"GetBucketReplication":               bucketRow[s3.GetBucketReplicationInput]().As("GetReplicationConfiguration"),
		"GetBucketRequestPayment":            bucketRow[s3.GetBucketRequestPaymentInput](),
		"GetBucketTagging":                   bucketRow[s3.GetBucketTaggingInput](),
		"GetBucketVersioning":                bucketRow[s3.GetBucketVersioningInput](),
		"GetBucketWebsite":                   bucketRow[s3.GetBucketWebsiteInput](),
		"GetObjectLockConfiguration":         bucketRow[s3.GetObjectLockConfigurationInput]().As("GetBucketObjectLockConfiguration"),
		"GetPublicAccessBlock":               bucketRow[s3.GetPublicAccessBlockInput]().As("GetBucketPublicAccessBlock"),
		"PutBucketAcl":                       bucketRow[s3.PutBucketAclInput](),
		"PutBucketEncryption":                bucketRow[s3.PutBucketEncryptionInput]().As("PutEncryptionConfiguration"),
		"PutBucketOwnershipControls":         bucketRow[s3.PutBucketOwnershipControlsInput](),
		"PutBucketPolicy":                    bucketRow[s3.PutBucketPolicyInput](),
		"PutBucketTagging":                   bucketRow[s3.PutBucketTaggingInput](),
		"PutBucketVersioning":                bucketRow[s3.PutBucketVersioningInput](),
		"PutPublicAccessBlock":               bucketRow[s3.PutPublicAccessBlockInput]().As("PutBucketPublicAccessBlock"),
		"DeleteBucketEncryption":             bucketRow[s3.DeleteBucketEncryptionInput]().As("PutEncryptionConfiguration"),
		"DeleteBucketOwnershipControls":      bucketRow[s3.DeleteBucketOwnershipControlsInput]().As("PutBucketOwnershipControls"),
		"DeleteBucketPolicy":                 bucketRow[s3.DeleteBucketPolicyInput](),
		"DeleteBucketTagging":                bucketRow[s3.DeleteBucketTaggingInput]().As("PutBucketTagging"),
		"DeletePublicAccessBlock":            bucketRow[s3.DeletePublicAccessBlockInput]().As("PutBucketPublicAccessBlock"),

		"GetObject":  objectRow[s3.GetObjectInput](),
		"HeadObject": objectRow[s3.HeadObjectInput]().As("GetObject"),
		"GetObjectAttributes": objectRow[s3.GetObjectAttributesInput]().Also(func(_ *api.Query, in *s3.GetObjectAttributesInput) []api.Access {
			return []api.Access{{Action: "s3:GetObject", Resources: objectOf(in)}}
		}),
		"GetObjectAcl":            objectRow[s3.GetObjectAclInput](),
		"GetObjectTagging":        objectRow[s3.GetObjectTaggingInput](),
		"PutObject":               tagging(objectRow[s3.PutObjectInput](), func(in *s3.PutObjectInput) *string { return in.Tagging }),
		"PutObjectAcl":            objectRow[s3.PutObjectAclInput](),
		"PutObjectTagging":        objectRow[s3.PutObjectTaggingInput](),
		"DeleteObject":            objectRow[s3.DeleteObjectInput](),
		"DeleteObjectTagging":     objectRow[s3.DeleteObjectTaggingInput](),
		"DeleteObjects":           api.On(deleted).As("DeleteObject"),
		"CopyObject":              tagging(objectRow[s3.CopyObjectInput](), func(in *s3.CopyObjectInput) *string { return in.Tagging }).As("PutObject").Also(func(_ *api.Query, in *s3.CopyObjectInput) []api.Access { return reads(in.CopySource) }),
		"AbortMultipartUpload":    objectRow[s3.AbortMultipartUploadInput](),
		"CompleteMultipartUpload": objectRow[s3.CompleteMultipartUploadInput]().As("PutObject"),
		"CreateMultipartUpload":   tagging(objectRow[s3.CreateMultipartUploadInput](), func(in *s3.CreateMultipartUploadInput) *string { return in.Tagging }).As("PutObject"),
		"ListParts":               objectRow[s3.ListPartsInput]().As("ListMultipartUploadParts"),
		"UploadPart":              objectRow[s3.UploadPartInput]().As("PutObject"),
		"UploadPartCopy":          objectRow[s3.UploadPartCopyInput]().As("PutObject").Also(func(_ *api.Query, in *s3.UploadPartCopyInput) []api.Access { return reads(in.CopySource) }),
	},
}

// layerBucketPolicy is what AWS allows in the buckets with ECR's layers, which are its own
// ([plan.LayerBucket]): to get layers with what ECR has signed.
const layerBucketPolicy = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": "` + plan.LayerSigner + `"}, "Action": "s3:GetObject", "Resource": "*"}}`

// bucketRow is the row of an operation on the bucket that its input names.
func bucketRow[In any]() api.Rule[In] {
	return api.On(func(_ *api.Query, in *In) []string { return []string{record.BucketARN(memberOf(in, "Bucket"))} })
}

// objectRow is the row of an operation on the object that its input names.
func objectRow[In any]() api.Rule[In] {
	return api.On(func(_ *api.Query, in *In) []string { return objectOf(in) })
}

func objectOf[In any](in *In) []string {
	return []string{record.ObjectARN(memberOf(in, "Bucket"), memberOf(in, "Key"))}
}

// listRow is the row of an operation that lists a bucket.
func listRow[In any](asked func(*In) (prefix, delimiter *string, most *int32)) api.Rule[In] {
	return bucketRow[In]().As("ListBucket").
		Key("s3:prefix", func(_ *api.Query, in *In) []string {
			prefix, _, _ := asked(in)
			return api.Given(prefix)
		}).
		Key("s3:delimiter", func(_ *api.Query, in *In) []string {
			_, delimiter, _ := asked(in)
			return api.Given(delimiter)
		}).
		Key("s3:max-keys", func(_ *api.Query, in *In) []string {
			_, _, most := asked(in)
			if most == nil {
				return nil
			}
			return []string{strconv.Itoa(int(*most))}
		})
}

// tagging adds that tags of a new object must be allowed.
func tagging[In any](row api.Rule[In], tags func(*In) *string) api.Rule[In] {
	return row.Also(func(_ *api.Query, in *In) []api.Access {
		if aws.Value(tags(in)) == "" {
			return nil
		}
		return []api.Access{{Action: "s3:PutObjectTagging", Resources: objectOf(in)}}
	})
}

func deleted(_ *api.Query, in *s3.DeleteObjectsInput) (arns []string) {
	if in.Delete == nil {
		return nil
	}
	for _, id := range in.Delete.Objects {
		arns = append(arns, record.ObjectARN(aws.Value(in.Bucket), aws.Value(id.Key)))
	}
	return arns
}

// reads is the access to what is copied.
func reads(source *string) []api.Access {
	bucket, key, err := parseSource(aws.Value(source))
	if err != nil {
		return nil // which the operation refuses
	}
	return []api.Access{{Action: "s3:GetObject", Resources: []string{record.ObjectARN(bucket, key)}}}
}

func bucketOf(arn string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(arn, "arn:aws:s3:::"), "/")
	return name
}

// tagsOf are the tags of a bucket or of an object.
func tagsOf(r store.Reader, arn string) map[string]string {
	bucket, key, isObject := strings.Cut(strings.TrimPrefix(arn, "arn:aws:s3:::"), "/")
	var tags []s3.Tag
	if isObject {
		if o, ok := store.Objects.Get(r, record.ObjectKey(bucket, key)); ok {
			tags = o.Tags
		}
	} else if b, ok := store.Buckets.Get(r, bucket); ok {
		tags = b.Tags
	}
	return api.TagMap(tags, func(t s3.Tag) (key, value *string) { return t.Key, t.Value })
}
