package scheduler

import (
	"encoding/json"
	"slices"
	"strings"

	"fargo"
	"fargo/aws/ecs"
	"fargo/aws/scheduler"
)

// ownService is who takes on the roles of schedules.
const ownService = "scheduler.amazonaws.com"

// targetKinds are what a schedule can have as a target: the service and the beginning of
// the resource of its ARN, and the parameters that are for it.
var targetKinds = []struct{ service, prefix, parameters string }{
	{"ecs", "cluster/", "EcsParameters"},
	{"events", "event-bus/", "EventBridgeParameters"},
	{"sqs", "", "SqsParameters"},
	{"lambda", "function:", ""},
}

// checkTarget refuses a target that a schedule cannot have. Whether it is there is not
// checked, as on AWS, but for functions.
func (s *Server) checkTarget(scope fargo.Scope, t *scheduler.Target) error {
	a, ok := fargo.ParseARN(*t.Arn)
	if !ok {
		return invalid("Provided Arn is not in correct format.")
	}
	i := slices.IndexFunc(targetKinds, func(k struct{ service, prefix, parameters string }) bool {
		return a.Service == k.service && strings.HasPrefix(a.Resource, k.prefix)
	})
	if i < 0 {
		return notImplemented("the target " + *t.Arn)
	}
	if a.Region != scope.Region {
		return invalid("The target ARN provided does not match the current region %s.", scope.Region)
	}
	for _, p := range givenParameters(t) {
		if p != targetKinds[i].parameters {
			return invalid("Parameters %s not supported for the target", p)
		}
	}
	switch a.Service {
	case "ecs":
		return checkECS(t)
	case "events":
		return checkEvent(t)
	case "lambda":
		if !s.callable(*t.Arn) {
			return invalid("Fargo has no function %s. fargo up --lambda says what it stands for.", *t.Arn)
		}
	}
	return nil
}

// givenParameters are the members of a target that are for one kind of targets.
func givenParameters(t *scheduler.Target) (given []string) {
	for name, is := range map[string]bool{
		"EcsParameters": t.EcsParameters != nil, "EventBridgeParameters": t.EventBridgeParameters != nil, "KinesisParameters": t.KinesisParameters != nil,
		"SageMakerPipelineParameters": t.SageMakerPipelineParameters != nil, "SqsParameters": t.SqsParameters != nil,
	} {
		if is {
			given = append(given, name)
		}
	}
	slices.Sort(given)
	return given
}

// checkECS checks what an ECS cluster needs to run tasks. The input overrides parts of
// the task definition.
func checkECS(t *scheduler.Target) error {
	p := t.EcsParameters
	switch {
	case p == nil:
		return invalid("Parameter EcsParameters must be specified for the target.")
	case p.LaunchType == scheduler.LaunchTypeFargate && p.NetworkConfiguration == nil:
		return invalid("Parameter NetworkConfiguration must be specified for the target when launch type is FARGATE")
	case t.Input != nil && json.Unmarshal([]byte(*t.Input), &ecs.TaskOverride{}) != nil:
		return invalid("JSON syntax error in input for the target")
	}
	return nil
}

// checkEvent checks what an event bus needs: the input is the event's detail.
func checkEvent(t *scheduler.Target) error {
	var detail map[string]json.RawMessage
	switch {
	case t.EventBridgeParameters == nil:
		return invalid("Parameter EventBridgeParameters must be specified for the target.")
	case t.Input != nil && json.Unmarshal([]byte(*t.Input), &detail) != nil:
		return invalid("JSON syntax error in input for the target")
	}
	return nil
}
