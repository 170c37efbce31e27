package node

import (
	"context"
	"slices"

	"github.com/containerd/errdefs"

	"fargo"
	"fargo/desired"
)

// stored are the ids of tasks and volumes that may have storage.
func stored(tasks []Task) map[string]bool {
	ids := map[string]bool{}
	for i := range tasks {
		a, used := &tasks[i].Assignment, tasks[i].Files == Asked || tasks[i].Files == Ready
		ids[a.ID] = used
		for _, v := range a.BlockVolumes {
			ids[v.ID] = used
		}
	}
	return ids
}

// storageOf is the storage that has a volume.
func (n *Node) storageOf(v *desired.BlockVolume) Storage {
	if v.Keep {
		return n.cfg.Kept
	}
	return n.cfg.Storage
}

// makeBlockVolumes makes a task's volumes of its own.
func (n *Node) makeBlockVolumes(ctx context.Context, a *desired.Assignment) error {
	for i := range a.BlockVolumes {
		v := &a.BlockVolumes[i]
		err := n.storageOf(v).MakeVolume(ctx, v)
		if errdefs.IsNotImplemented(err) {
			return &unmountableError{reason: err.Error(), block: true}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) dropBlockVolumes(a *desired.Assignment) {
	for i := range a.BlockVolumes {
		n.storageOf(&a.BlockVolumes[i]).Drop(a.BlockVolumes[i].ID)
	}
}

// blockVolume finds a task's own volume by the name that mount points have for it; nil for
// none.
func blockVolume(a *desired.Assignment, name string) *desired.BlockVolume {
	i := slices.IndexFunc(a.BlockVolumes, func(v desired.BlockVolume) bool { return v.Volume == name })
	if i < 0 {
		return nil
	}
	return &a.BlockVolumes[i]
}

// volumeTimeout is why a task ends whose volume was not there in time.
// Source: ECS developer guide, "Status reasons for Amazon EBS volume attachment to Amazon
// ECS tasks".
const volumeTimeout = "ECS timed out while configuring the EBS volume attachment to your Task."

// attaching reports whether the task waits for its volumes: it is PENDING for so long.
func (t *Task) attaching() bool {
	return t.Status.Before(fargo.TaskActivating) && len(t.Assignment.BlockVolumes) > 0 && t.Files != Ready
}
