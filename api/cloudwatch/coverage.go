package cloudwatch

import "fargo/api"

// NotActedOn lists the fields that are kept and shown but change nothing yet.
var NotActedOn = []api.Gap{
	{Operation: "PutMetricData", Field: "EntityMetricData.Entity", Why: "not kept: nothing here shows entities"},
	{Operation: "PutMetricData", Field: "StrictEntityValidation", Why: "entities are not looked at"},
	{Operation: "ListMetrics", Field: "IncludeLinkedAccounts", Why: "no account is linked to another"},
}
