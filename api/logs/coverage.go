package logs

import "fargo/api"

// NotActedOn lists the fields that are kept and shown but change nothing yet.
var NotActedOn = []api.Gap{
	{Operation: "CreateLogGroup", Field: "kmsKeyId", Why: "the key is checked and shown, and ECS Exec finds the group encrypted; events are not encrypted with it, and stay readable without it"},
	{Operation: "AssociateKmsKey", Field: "kmsKeyId", Why: "as CreateLogGroup's"},
	{Operation: "AssociateKmsKey", Field: "resourceIdentifier", Why: "that of a log group only: there are no queries, whose results could be encrypted"},
	{Operation: "DisassociateKmsKey", Field: "resourceIdentifier", Why: "that of a log group only"},
	{Operation: "CreateLogGroup", Field: "logGroupClass", Why: "kept and shown; every class does what STANDARD does"},
	{Operation: "DescribeLogGroups", Field: "includeLinkedAccounts", Why: "no account is linked to another"},
	{Operation: "PutMetricFilter", Field: "applyOnTransformedLogs", Why: "kept and shown; there are no log transformers"},
	{Operation: "PutLogEvents", Field: "entity", Why: "not kept: nothing here shows entities"},
	{Operation: "GetLogEvents", Field: "unmask", Why: "nothing is masked: there are no data protection policies"},
	{Operation: "FilterLogEvents", Field: "unmask", Why: "nothing is masked: there are no data protection policies"},
	{Operation: "FilterLogEvents", Field: "interleaved", Why: "events are always interleaved, as in CloudWatch Logs since 2019"},
}
