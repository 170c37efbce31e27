package events

import (
	"encoding/json"
	"strings"

	"fargo"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/aws/events"
	"fargo/plan"
)

// A targetKind are targets of one kind.
type targetKind struct {
	service, prefix string // of their ARNs
	role            bool   // whether they need a role
	parameters      string // the member of a target that is for this kind, "" for none
}

// targetKinds are what events can be sent to.
var targetKinds = []targetKind{
	{service: "ecs", prefix: "cluster/", role: true, parameters: "EcsParameters"},
	{service: "logs", prefix: "log-group:"},
	{service: "sqs", parameters: "SqsParameters"},
	{service: "lambda", prefix: "function:"},
	{service: "events", prefix: "event-bus/"},
	{service: "events", prefix: "api-destination/", role: true, parameters: "HttpParameters"},
}

// kindOf is the kind of the target with an ARN. Others are refused by name.
func kindOf(target string) (targetKind, fargo.ARN, error) {
	a, ok := fargo.ParseARN(target)
	if !ok {
		return targetKind{}, a, invalid("Parameter %s is not valid. Reason: Provided Arn is not in correct format.", target)
	}
	for _, k := range targetKinds {
		if a.Service == k.service && strings.HasPrefix(a.Resource, k.prefix) {
			return k, a, nil
		}
	}
	return targetKind{}, a, notImplemented("the target " + target)
}

// checkTarget refuses a target that a rule cannot have. Whether it is there is not
// checked, as on AWS, but for functions.
func (s *Server) checkTarget(scope fargo.Scope, t *events.Target) error {
	kind, a, err := kindOf(*t.Arn)
	if err != nil {
		return err
	}
	if kind.service == "lambda" && !s.callable(*t.Arn) {
		return invalid("Fargo has no function %s. fargo up --lambda says what it stands for.", *t.Arn)
	}
	if (kind.role || kind.prefix == "event-bus/" && a.Scope() != scope) && t.RoleArn == nil {
		return invalid("RoleArn is required for target %s.", *t.Arn)
	}
	for _, p := range givenParameters(t) {
		if p != kind.parameters {
			return invalid("Parameter(s) %s not supported for target: %s", p, *t.Id)
		}
	}
	if d := t.DeadLetterConfig; d != nil && d.Arn != nil && !isQueue(*d.Arn) {
		return invalid("Parameter DeadLetterConfig.Arn is not valid. Reason: Provided Arn is not in correct format.")
	}
	if err := checkInput(t); err != nil {
		return err
	}
	if kind.service == "ecs" {
		return checkECS(a, t)
	}
	return nil
}

func isQueue(arn string) bool {
	a, ok := fargo.ParseARN(arn)
	return ok && a.Service == "sqs"
}

// givenParameters are the members of a target that are for one kind of targets.
func givenParameters(t *events.Target) (given []string) {
	for _, p := range []struct {
		name  string
		given bool
	}{
		{"KinesisParameters", t.KinesisParameters != nil},
		{"RunCommandParameters", t.RunCommandParameters != nil},
		{"EcsParameters", t.EcsParameters != nil},
		{"BatchParameters", t.BatchParameters != nil},
		{"SqsParameters", t.SqsParameters != nil},
		{"HttpParameters", t.HttpParameters != nil},
		{"RedshiftDataParameters", t.RedshiftDataParameters != nil},
		{"SageMakerPipelineParameters", t.SageMakerPipelineParameters != nil},
		{"AppSyncParameters", t.AppSyncParameters != nil},
	} {
		if p.given {
			given = append(given, p.name)
		}
	}
	return given
}

// checkInput checks what a target is to be given.
func checkInput(t *events.Target) error {
	given := 0
	for _, is := range []bool{t.Input != nil, t.InputPath != nil, t.InputTransformer != nil} {
		if is {
			given++
		}
	}
	switch {
	case given > 1:
		return invalid("Only one of Input, InputPath, or InputTransformer must be provided for target %s.", *t.Id)
	case t.Input != nil && !json.Valid([]byte(*t.Input)):
		return invalid("JSON syntax error in input for target %s", *t.Id)
	case t.InputPath != nil && !plan.IsJSONPath(*t.InputPath):
		return invalid("InputPath for target %s is not valid.", *t.Id)
	case t.InputTransformer == nil:
		return nil
	}
	for name, path := range t.InputTransformer.InputPathsMap {
		if !plan.IsJSONPath(path) {
			return invalid("InputPathsMap for target %s has a path that is not valid: %s.", *t.Id, name)
		}
	}
	if unknown := plan.TemplateVariables(t.InputTransformer); len(unknown) > 0 {
		return invalid("InputTemplate for target %s contains invalid placeholder %s.", *t.Id, unknown[0])
	}
	return nil
}

// checkECS checks what an ECS cluster needs to run tasks.
func checkECS(cluster fargo.ARN, t *events.Target) error {
	p := t.EcsParameters
	if p == nil {
		return invalid("Parameter(s) EcsParameters must be specified for target: %s.", *t.Id)
	}
	if n := aws.ValueOr(p.TaskCount, 1); n < 1 || n > 10 {
		return invalid("Parameter(s) TaskCount not valid for target: %s", *t.Id)
	}
	definition, ok := fargo.ParseARN(*p.TaskDefinitionArn)
	switch {
	case !ok || definition.Service != "ecs":
		return invalid("Parameter %s is not valid. Reason: Provided Arn is not in correct format.", *p.TaskDefinitionArn)
	case definition.Region != cluster.Region:
		return invalid("Region of %s does not match region of %s", *t.Arn, *p.TaskDefinitionArn)
	case p.LaunchType == events.LaunchTypeFargate && p.NetworkConfiguration == nil:
		return invalid("Parameter NetworkConfiguration must be specified for target %s when launch type is FARGATE", *t.Id)
	case p.LaunchType == events.LaunchTypeEc2 && p.PlatformVersion != nil:
		return invalid("Parameter PlatformVersion for target %s is not supported when launch type is EC2", *t.Id)
	}
	if t.Input != nil && json.Unmarshal([]byte(*t.Input), &ecs.TaskOverride{}) != nil {
		return invalid("Input for target %s is no TaskOverride.", *t.Id)
	}
	return nil
}
