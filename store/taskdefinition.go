package store

import (
	"strconv"
	"strings"

	"fargo"
	"fargo/aws/ecs"
	"fargo/record"
)

// TaskDefinitionByStatus is the index of TaskDefinitions by status.
const TaskDefinitionByStatus = "status"

// TaskDefinitions are the revisions, by scope, family and number.
var TaskDefinitions = NewTable("taskdefinition", (*record.TaskDefinition).Key,
	Index[record.TaskDefinition]{TaskDefinitionByStatus, func(d *record.TaskDefinition) []string {
		return []string{string(d.Definition.Status)}
	}})

// TaskDefinitionFamilies remember the highest revision of each family.
var TaskDefinitionFamilies = NewTable("taskdefinitionfamily", (*record.TaskDefinitionFamily).Key)

// LatestTaskDefinition is the last revision of a family that is ACTIVE.
func LatestTaskDefinition(r Reader, scope fargo.Scope, family string) (latest *record.TaskDefinition, ok bool) {
	for d := range TaskDefinitions.Prefix(r, record.TaskDefinitionKey(scope, family, 0)) {
		if d.Definition.Status == ecs.TaskDefinitionStatusActive {
			latest = d
		}
	}
	return latest, latest != nil
}

// TaskDefinitionByARN finds a revision by its full name.
func TaskDefinitionByARN(r Reader, arn string) (*record.TaskDefinition, bool) {
	a, ok := fargo.ParseARN(arn)
	if !ok {
		return nil, false
	}
	family, revision, _ := strings.Cut(strings.TrimPrefix(a.Resource, "task-definition/"), ":")
	n, err := strconv.Atoi(revision)
	if err != nil || n == 0 {
		return nil, false
	}
	return TaskDefinitions.Get(r, record.TaskDefinitionKey(a.Scope(), family, n))
}
