package events

import "fargo/api"

// NotActedOn lists the fields that are kept and shown but change nothing yet.
var NotActedOn = []api.Gap{
	{Operation: "CreateEventBus", Field: "KmsKeyIdentifier, DeadLetterConfig", Why: "events are on disk only until they are delivered, and no key of yours encrypts them; so none is lost for lack of one"},
	{Operation: "CreateEventBus", Field: "LogConfig", Why: "buses write no logs of their own; fargo events shows every event"},
	{Operation: "CreateConnection", Field: "KmsKeyIdentifier", Why: "credentials are sealed with the installation's key"},
	{Operation: "CreateApiDestination", Field: "InvocationRateLimitPerSecond", Why: "calls are not held back; at most 16 deliveries are under way at the same time"},
	{Operation: "PutEvents", Field: "Entries.TraceHeader", Why: "there is no X-Ray"},
	{Operation: "PutRule", Field: "EventPattern with the detail-type ECS Container Instance State Change, ECS Hook State Change", Why: "neither is sent: there are no container instances, and deployments have no hooks yet; ECS sends ECS Task State Change, ECS Service Action and ECS Deployment State Change"},
	{Operation: "PutRule", Field: "EventPattern with a source of AWS's other than aws.ecs, aws.events", Why: "other services send no events yet"},
	{Operation: "PutTargets", Field: "Targets.SqsParameters, DeadLetterConfig", Why: "without fargo up --forward sqs=URL there is no SQS to send to: what would go there is counted as failed"},
}
