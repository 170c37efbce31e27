package control

import (
	"iter"
	"slices"
	"time"

	"fargo/aws/ecs"
	"fargo/store"
)

// TaskDefinitions is the controller that deletes a revision whose deletion was
// asked for, once the last task of it has stopped.
// Source: ECS API, DeleteTaskDefinitions.
func TaskDefinitions() Controller {
	going := func(r store.Reader) iter.Seq[string] {
		return keys(store.TaskDefinitions.By(r, store.TaskDefinitionByStatus, string(ecs.TaskDefinitionStatusDeleteInProgress)))
	}
	return Controller{
		Name: "taskdefinition",
		All:  going,
		Scope: func(r store.Reader, c store.Change) iter.Seq[string] {
			if c.Table == store.Tasks.Name() || c.Table == store.TaskDefinitions.Name() {
				return going(r)
			}
			return slices.Values([]string(nil))
		},
		Reconcile: func(tx *store.Tx, key string, _ time.Time) (time.Time, error) {
			d, ok := store.TaskDefinitions.Get(tx, key)
			if !ok || d.Definition.Status != ecs.TaskDefinitionStatusDeleteInProgress {
				return time.Time{}, nil
			}
			for t := range store.Tasks.By(tx, store.TaskByDefinition, *d.Definition.TaskDefinitionArn) {
				if !t.Stopped() {
					return time.Time{}, nil
				}
			}
			store.TaskDefinitions.Delete(tx, key)
			return time.Time{}, nil
		},
	}
}
