package record

import (
	"fmt"

	"fargo"
	"fargo/aws/ecs"
)

// TaskDefinition is one revision of a family, as registered: immutable but for
// its status and tags.
type TaskDefinition struct {
	Scope      fargo.Scope
	Definition ecs.TaskDefinition
	Tags       []ecs.Tag
}

// Key is the revision's place in the store. Revisions sort by number.
func (d *TaskDefinition) Key() string {
	return TaskDefinitionKey(d.Scope, *d.Definition.Family, int(*d.Definition.Revision))
}

// TaskDefinitionKey is the store key of a family's revision. With revision 0 it
// is the prefix of all revisions.
func TaskDefinitionKey(s fargo.Scope, family string, revision int) string {
	if revision == 0 {
		return s.Key(family, "")
	}
	return s.Key(family, fmt.Sprintf("%09d", revision))
}

// Container finds a container definition by name.
func (d *TaskDefinition) Container(name string) *ecs.ContainerDefinition {
	for i := range d.Definition.ContainerDefinitions {
		if c := &d.Definition.ContainerDefinitions[i]; *c.Name == name {
			return c
		}
	}
	return nil
}

// TaskDefinitionFamily remembers the highest revision a family ever had: a
// number is never given twice, even after its revision is deleted.
type TaskDefinitionFamily struct {
	Scope    fargo.Scope
	Family   string
	Revision int
}

// Key is the family's place in the store.
func (f *TaskDefinitionFamily) Key() string { return f.Scope.Key(f.Family) }
