package store

import "fargo/record"

// The indexes of Tasks.
const (
	TaskByNode       = "node"       // by node id, "" before there is one; not the stopped
	TaskByDefinition = "definition" // by task definition ARN
	TaskByService    = "service"    // by the service's key; not those whose end is settled in every way
	TaskByTarget     = "target"     // by the key of a target that it is
)

// Tasks are the tasks, by scope, cluster and id.
var Tasks = NewTable("task", (*record.Task).Key,
	Index[record.Task]{TaskByNode, func(t *record.Task) []string {
		if t.Stopped() {
			return nil
		}
		return []string{t.Node}
	}},
	Index[record.Task]{TaskByDefinition, func(t *record.Task) []string {
		return []string{*t.Intent.TaskDefinitionArn}
	}},
	Index[record.Task]{TaskByService, func(t *record.Task) []string {
		if t.Service == "" || (t.Stopped() && t.Counted && len(t.Targets) == 0) {
			return nil
		}
		return []string{t.ServiceKey()}
	}},
	Index[record.Task]{TaskByTarget, func(t *record.Task) []string {
		keys := make([]string, len(t.Targets))
		for i, ref := range t.Targets {
			keys[i] = ref.Key()
		}
		return keys
	}},
)

// RunTaskTokens are the client tokens of RunTask.
var RunTaskTokens = NewTable("runtasktoken", (*record.RunTaskToken).Key)

// TaskSecrets are the values that tasks are given, by the tasks' keys.
var TaskSecrets = NewTable("tasksecrets", (*record.TaskSecrets).Key).Sealed()
