package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/containerd/v2/pkg/oci"
)

// bareContainerd is what "ctr run --detach" does, without the start of a
// process: snapshot, container, task, start, in a namespace of its own of the
// daemon that Fargo runs. No interface, no logs, no limits.
type bareContainerd struct {
	client *client.Client
	image  client.Image
	cgroup string
	next   atomic.Int64
}

func newBareContainerd(ctx context.Context, in *installation, image string) (*bareContainerd, error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	const namespace, name = "bench", "bench:latest"
	c, err := client.New(filepath.Join("/run/fargo-"+id, "containerd", "sock"), client.WithDefaultNamespace(namespace))
	if err != nil {
		return nil, fmt.Errorf("containerd: %w", err)
	}
	b := &bareContainerd{client: c, cgroup: "/fargo-" + id + "-bench"}
	archive, err := os.Open(image)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	defer archive.Close()
	if _, err = c.Import(ctx, archive, client.WithIndexName(name)); err == nil {
		b.image, err = c.GetImage(ctx, name)
	}
	if err == nil {
		err = b.image.Unpack(ctx, "")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("containerd: %w", err), c.Close())
	}
	return b, nil
}

func (b *bareContainerd) name() string { return "bare containerd" }

func (b *bareContainerd) start(ctx context.Context) (remove func(context.Context) error, err error) {
	id := strconv.FormatInt(b.next.Add(1), 10)
	container, err := b.client.NewContainer(ctx, id,
		client.WithImage(b.image),
		client.WithNewSnapshot(id, b.image),
		client.WithNewSpec(oci.WithImageConfig(b.image), oci.WithCgroup(b.cgroup+"/"+id)))
	if err != nil {
		return nil, err
	}
	removeContainer := func(ctx context.Context) error { return container.Delete(ctx, client.WithSnapshotCleanup) }
	task, err := container.NewTask(ctx, cio.NullIO)
	if err != nil {
		return nil, undo(ctx, removeContainer, err)
	}
	remove = func(ctx context.Context) error {
		_, err := task.Delete(ctx, client.WithProcessKill)
		return errors.Join(err, removeContainer(ctx))
	}
	if err := task.Start(ctx); err != nil {
		return nil, undo(ctx, remove, err)
	}
	return remove, nil
}

// undo removes what was made before err.
func undo(ctx context.Context, remove func(context.Context) error, err error) error {
	ctx, cancel := cleanup(ctx)
	defer cancel()
	return errors.Join(err, remove(ctx))
}

// close leaves image and snapshots to go with the data directory.
func (b *bareContainerd) close(context.Context) error {
	groups, err := filepath.Glob("/sys/fs/cgroup/*" + b.cgroup)
	for _, group := range append(groups, "/sys/fs/cgroup"+b.cgroup) {
		if e := syscall.Rmdir(group); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return errors.Join(err, b.client.Close())
}
