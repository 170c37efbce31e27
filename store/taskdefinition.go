package store

import (
	"strconv"
	"strings"

	"fargo"
)

// TaskDefinitionByStatus is the index of TaskDefinitions by status.
const TaskDefinitionByStatus = "status"

// TaskDefinitions are the revisions, by scope, family and number.
var TaskDefinitions = NewTable("taskdefinition", (*fargo.TaskDefinition).Key,
	Index[fargo.TaskDefinition]{TaskDefinitionByStatus, func(d *fargo.TaskDefinition) []string {
		return []string{string(d.Definition.Status)}
	}})

// TaskDefinitionFamilies remember the highest revision of each family.
var TaskDefinitionFamilies = NewTable("taskdefinitionfamily", (*fargo.TaskDefinitionFamily).Key)

// TaskDefinitionByARN finds a revision by its full name.
func TaskDefinitionByARN(r Reader, arn string) (*fargo.TaskDefinition, bool) {
	a, ok := fargo.ParseARN(arn)
	if !ok {
		return nil, false
	}
	family, revision, _ := strings.Cut(strings.TrimPrefix(a.Resource, "task-definition/"), ":")
	n, err := strconv.Atoi(revision)
	if err != nil || n == 0 {
		return nil, false
	}
	return TaskDefinitions.Get(r, fargo.TaskDefinitionKey(a.Scope(), family, n))
}
