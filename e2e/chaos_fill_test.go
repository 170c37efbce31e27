//go:build e2e && chaos

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go"
	"golang.org/x/sys/unix"
)

// fillAttacks use up resources.
var fillAttacks = []attack{
	{name: "fill the disk", run: (*chaos).fillDisk},
}

// left is what is free on a full disk, in bytes: too little for any write.
const left = 1 << 20

// fillDisk uses up the file system that the installation is on. Writes of
// clients fail with an error, reads and the service go on, and when there is space
// again so do writes.
func (c *chaos) fillDisk() {
	ctx := context.Background()
	filler := filepath.Join(c.disk, "filler")
	defer os.Remove(filler)
	f, err := os.Create(filler)
	if err != nil {
		c.t.Fatal(err)
	}
	defer f.Close()
	if err := takeSpace(f); err != nil {
		c.t.Fatal(err)
	}
	name := fmt.Sprintf("full%d", c.rng.Uint32())
	create := func() error {
		_, err := c.user.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: &name})
		return err
	}
	err = create()
	var refused smithy.APIError
	if !errors.As(err, &refused) || refused.ErrorCode() == "InternalFailure" {
		c.t.Errorf("a write to a full disk: %v", err)
	} else {
		c.note("%s: %s", refused.ErrorCode(), refused.ErrorMessage())
	}
	if _, err := c.user.ecs.ListClusters(ctx, &ecs.ListClustersInput{MaxResults: aws.Int32(1)}); err != nil {
		c.t.Errorf("a read while the disk is full: %v", err)
	}
	c.healthz(http.StatusServiceUnavailable)
	if err := f.Truncate(0); err != nil {
		c.t.Fatal(err)
	}
	c.wait(create)
	if _, err := c.user.ecs.DeleteCluster(ctx, &ecs.DeleteClusterInput{Cluster: &name}); err != nil {
		c.t.Error(err)
	}
	c.healthz(http.StatusOK)
}

// healthz waits until the health page has a status.
func (c *chaos) healthz(want int) {
	c.t.Helper()
	c.wait(func() error {
		answer, err := http.Get(c.in.url + "/healthz")
		if err != nil {
			return err
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			return fmt.Errorf("/healthz has status %d, not %d", answer.StatusCode, want)
		}
		return nil
	})
}

// takeSpace gives a file all of its file system but left. Others write meanwhile, so
// it asks again how much there is when it was less than it looked.
func takeSpace(f *os.File) error {
	var err error
	for range 20 {
		var fs unix.Statfs_t
		if err := unix.Fstatfs(int(f.Fd()), &fs); err != nil {
			return err
		}
		var info unix.Stat_t // what an attempt that failed has taken is the file's already
		if err := unix.Fstat(int(f.Fd()), &info); err != nil {
			return err
		}
		if err = unix.Fallocate(int(f.Fd()), 0, 0, info.Blocks*512+int64(fs.Bavail)*fs.Bsize-left); !errors.Is(err, unix.ENOSPC) {
			return err
		}
	}
	return err
}
