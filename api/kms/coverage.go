package kms

import "fargo/api"

// NotActedOn lists the fields that are kept and shown but change nothing yet.
var NotActedOn = []api.Gap{
	{Operation: "Encrypt, Decrypt, ReEncrypt, GenerateDataKey, GenerateDataKeyWithoutPlaintext, DescribeKey", Field: "GrantTokens", Why: "there are no grants yet"},
	{Operation: "PutKeyPolicy", Field: "Policy", Why: "whether the principals that it names exist is not asked"},
}
