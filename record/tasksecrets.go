package record

// TaskSecrets are the values that a task is given, as they were when it began. Its table
// is sealed. The control plane writes it, once, when the task's node asks for the first of
// them, and deletes it when the task has stopped.
type TaskSecrets struct {
	Task string // its key
	// Values are in the order of the definition's: see [fargo/plan.TaskSecrets].
	Values []string
}

// Key is the place of the task's values in the store.
func (s *TaskSecrets) Key() string { return s.Task }
