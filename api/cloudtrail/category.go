package cloudtrail

import (
	"strings"

	"fargo/api"
)

// readers are how operations begin that change nothing.
var readers = []string{
	"Describe", "Get", "List", "BatchGet", "BatchCheck", "Head", "Lookup", "Search", "Select", "Simulate", "Discover",
	"Test", "Validate", "Preview", "Filter", "Estimate", "Verify", "Decode",
}

// otherReaders are further ones. A data key is made, and changes nothing.
// Source: events of CloudTrail in public logs.
var otherReaders = map[string]bool{
	"kms:Decrypt": true, "kms:Encrypt": true, "kms:ReEncrypt": true, "kms:GenerateDataKey": true, "kms:GenerateDataKeyWithoutPlaintext": true,
	"kms:GenerateDataKeyPair": true, "kms:GenerateDataKeyPairWithoutPlaintext": true, "kms:GenerateRandom": true, "kms:GenerateMac": true, "kms:Sign": true,
	"logs:StartQuery": true, "logs:StopQuery": true, "logs:StartLiveTail": true, "sqs:ReceiveMessage": true, "ecr:StartLifecyclePolicyPreview": true,
}

// isReadOnly reports whether a call can have changed nothing.
func isReadOnly(s *api.Served) bool {
	name := s.Of.Name + ":" + s.Operation.Name
	if otherReaders[name] {
		return true
	}
	for _, prefix := range readers {
		if strings.HasPrefix(s.Operation.Name, prefix) {
			return true
		}
	}
	return false
}

// ofData are the operations, besides those on objects of S3, that CloudTrail counts as
// data events.
// Source: CloudTrail user guide, "Logging data events".
var ofData = map[string]bool{
	"logs:PutLogEvents": true, "cloudwatch:PutMetricData": true, "events:PutEvents": true, "sns:Publish": true, "sns:PublishBatch": true,
	"sqs:SendMessage": true, "sqs:SendMessageBatch": true, "sqs:ReceiveMessage": true, "sqs:DeleteMessage": true, "sqs:DeleteMessageBatch": true,
	"sqs:ChangeMessageVisibility": true, "sqs:ChangeMessageVisibilityBatch": true,
	"dynamodb:GetItem": true, "dynamodb:PutItem": true, "dynamodb:UpdateItem": true, "dynamodb:DeleteItem": true, "dynamodb:Query": true,
	"dynamodb:Scan": true, "dynamodb:BatchGetItem": true, "dynamodb:BatchWriteItem": true, "dynamodb:TransactGetItems": true, "dynamodb:TransactWriteItems": true,
}

// isData reports whether a call is a data event: one on what a resource holds, not on the
// resource.
func isData(s *api.Served) bool {
	name := s.Operation.Name
	if s.Of.Name == "s3" {
		return !strings.Contains(name, "ObjectLock") && ofObjects(name)
	}
	return ofData[s.Of.Name+":"+name]
}

func ofObjects(name string) bool {
	return strings.Contains(name, "Object") || strings.Contains(name, "Upload") || strings.Contains(name, "Part")
}
