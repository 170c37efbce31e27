package main

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2/process"
	"github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2/runc"
	"github.com/containerd/containerd/v2/pkg/protobuf"
	"github.com/containerd/containerd/v2/pkg/protobuf/proto"
	"golang.org/x/sys/unix"
)

// over reports whether a container is as gone as it gets: its shim has noted how
// it ended and runc has forgotten it. containerd calls for a deletion whenever a
// shim ends, also when there was nothing wrong.
func (c call) over() bool {
	if _, err := runc.ReadExitStatus(c.bundle); err != nil {
		return false
	}
	options, err := runc.ReadOptions(c.bundle)
	if err != nil || options == nil {
		return false
	}
	record := filepath.Join(cmp.Or(options.Root, process.RuncRoot), c.namespace, c.id)
	_, err = os.Lstat(record)
	return errors.Is(err, fs.ErrNotExist) && !mounted(c.bundle, "rootfs")
}

// mounted reports whether something may be mounted on an entry of dir.
func mounted(dir, name string) bool {
	var outside, inside unix.Stat_t
	if err := unix.Stat(dir, &outside); err != nil {
		return true
	}
	err := unix.Stat(filepath.Join(dir, name), &inside)
	return err != nil && !errors.Is(err, fs.ErrNotExist) || err == nil && inside.Dev != outside.Dev
}

// answerDelete tells containerd how the container ended.
func (c call) answerDelete(to io.Writer) error {
	exit, err := runc.ReadExitStatus(c.bundle)
	if err != nil {
		return err
	}
	answer, err := proto.Marshal(&api.DeleteResponse{
		Pid: uint32(exit.Pid), ExitStatus: uint32(exit.Status), ExitedAt: protobuf.ToTimestamp(exit.Timestamp),
	})
	if err != nil {
		return err
	}
	_, err = to.Write(answer)
	return err
}
