package scheduler

import "fargo/api"

// NotActedOn lists the fields that are kept and shown but change nothing yet.
var NotActedOn = []api.Gap{
	{Operation: "CreateSchedule", Field: "KmsKeyArn", Why: "schedules are not encrypted with keys of yours"},
	{Operation: "CreateSchedule", Field: "Target.SqsParameters, Target.DeadLetterConfig", Why: "without fargo up --forward sqs=URL there is no SQS to send to: what would go there is counted as failed"},
}
