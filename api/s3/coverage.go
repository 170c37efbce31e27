package s3

import "fargo/api"

// NotActedOn lists the fields that are kept and shown but change nothing.
var NotActedOn = []api.Gap{
	{Operation: "PutBucketPolicy", Field: "Policy", Why: "other accounts and anonymous callers are refused whatever it says"},
	{Operation: "PutPublicAccessBlock", Field: "PublicAccessBlockConfiguration", Why: "nothing is public"},
	{Operation: "PutBucketEncryption", Field: "ServerSideEncryptionConfiguration", Why: "objects are not encrypted on disk; AES256 is taken, keys of KMS are refused"},
	{Operation: "PutObject", Field: "ServerSideEncryption, BucketKeyEnabled, RequestPayer", Why: "objects are not encrypted on disk; AES256 is taken, others are refused"},
	{Operation: "CopyObject", Field: "ServerSideEncryption, BucketKeyEnabled, RequestPayer", Why: "as in PutObject"},
	{Operation: "CreateMultipartUpload", Field: "ServerSideEncryption, BucketKeyEnabled, RequestPayer", Why: "as in PutObject"},
	{Operation: "PutObject", Field: "WebsiteRedirectLocation", Why: "buckets are no web sites"},
}
