package store

import (
	"strconv"
	"strings"

	"fargo"
)

// TaskDefinitions are the revisions, by scope, family and number.
var TaskDefinitions = NewTable("taskdefinition", (*fargo.TaskDefinition).Key)

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
