package host

import "fargo/desired"

// Network is all the networking that one machine should have for its tasks. It is
// whole: what is absent from it should not be there.
type Network struct {
	VPCs       []desired.VPC       `json:"vpcs,omitempty"`
	Interfaces []desired.Interface `json:"interfaces,omitempty"` // one network namespace each
}

// TaskCgroup is the control group around all containers of one task.
type TaskCgroup struct {
	TaskID string `json:"taskId"`
	CPU    int64  `json:"cpu,omitempty"`    // ECS units, a ceiling; 0 means none
	Memory int64  `json:"memory,omitempty"` // MiB, a ceiling; 0 means none
	// PIDs is how many processes and threads there may be at once; 0 means no
	// limit but that of all tasks together.
	PIDs int64 `json:"pids,omitempty"`
}
