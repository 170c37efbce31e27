package store

import "fargo"

// The indexes of Tasks.
const (
	TaskByNode       = "node"       // by node id, "" before there is one; not the stopped
	TaskByDefinition = "definition" // by task definition ARN
	TaskByService    = "service"    // by the service's key; not those whose end is settled in every way
	TaskByTarget     = "target"     // by the key of a target that it is
)

// Tasks are the tasks, by scope, cluster and id.
var Tasks = NewTable("task", (*fargo.Task).Key,
	Index[fargo.Task]{TaskByNode, func(t *fargo.Task) []string {
		if t.Stopped() {
			return nil
		}
		return []string{t.Node}
	}},
	Index[fargo.Task]{TaskByDefinition, func(t *fargo.Task) []string {
		return []string{*t.Intent.TaskDefinitionArn}
	}},
	Index[fargo.Task]{TaskByService, func(t *fargo.Task) []string {
		if t.Service == "" || (t.Stopped() && t.Counted && len(t.Targets) == 0) {
			return nil
		}
		return []string{t.ServiceKey()}
	}},
	Index[fargo.Task]{TaskByTarget, func(t *fargo.Task) []string {
		keys := make([]string, len(t.Targets))
		for i, ref := range t.Targets {
			keys[i] = ref.Key()
		}
		return keys
	}},
)

// RunTaskTokens are the client tokens of RunTask.
var RunTaskTokens = NewTable("runtasktoken", (*fargo.RunTaskToken).Key)
