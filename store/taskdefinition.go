package store

import "fargo"

// TaskDefinitions are the revisions, by scope, family and number.
var TaskDefinitions = NewTable("taskdefinition", (*fargo.TaskDefinition).Key)

// TaskDefinitionFamilies remember the highest revision of each family.
var TaskDefinitionFamilies = NewTable("taskdefinitionfamily", (*fargo.TaskDefinitionFamily).Key)
