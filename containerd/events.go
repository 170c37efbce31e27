package containerd

import (
	"context"
	"time"

	apievents "github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/v2/core/events"
	"github.com/containerd/typeurl/v2"
)

// Events returns a channel of ids of containers whose state may have changed:
// ended, short of memory, gone; of a start [Runtime.Start] tells. The empty id means "look at
// everything": it comes first, and again whenever events may have been missed
// because containerd was away. The channel closes when ctx ends.
func (r *Runtime) Events(ctx context.Context) <-chan string {
	ids := make(chan string, 64)
	go func() {
		defer close(ids)
		for ctx.Err() == nil {
			if err := r.follow(ctx, ids); err != nil && ctx.Err() == nil {
				r.config.Logger.Info("lost containerd's events, asking again", "error", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return ids
}

// follow passes events on until the stream ends.
func (r *Runtime) follow(ctx context.Context, ids chan<- string) error {
	stream, failed := r.client.Subscribe(r.in(ctx),
		`namespace==`+r.config.Namespace+`,topic~="^/tasks/(exit|oom|delete)$"`)
	// Only what happens after the subscription is told. The state as it is now
	// has to be looked at.
	if !send(ctx, ids, "") {
		return nil
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case envelope := <-stream:
			id, err := changed(envelope)
			if err != nil {
				return err
			}
			if id != "" && !send(ctx, ids, id) {
				return nil
			}
		}
	}
}

func send(ctx context.Context, ids chan<- string, id string) bool {
	select {
	case ids <- id:
		return true
	case <-ctx.Done():
		return false
	}
}

// changed is the container an event is about, or "" if it is about a process
// started by Exec.
func changed(envelope *events.Envelope) (string, error) {
	event, err := typeurl.UnmarshalAny(envelope.Event)
	if err != nil {
		return "", err
	}
	switch e := event.(type) {
	case *apievents.TaskExit:
		if e.ID != e.ContainerID {
			return "", nil
		}
		return e.ContainerID, nil
	case *apievents.TaskOOM:
		return e.ContainerID, nil
	case *apievents.TaskDelete:
		if e.ID != "" && e.ID != e.ContainerID {
			return "", nil
		}
		return e.ContainerID, nil
	}
	return "", nil
}
