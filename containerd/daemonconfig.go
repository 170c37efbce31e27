package containerd

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// unwanted are plugins that a containerd which is not the carried one may have,
// and that would cost memory, start-up time or ports here.
var unwanted = []string{
	"io.containerd.cri.v1.images",
	"io.containerd.cri.v1.runtime",
	"io.containerd.grpc.v1.cri",
	"io.containerd.grpc.v1.sandbox-controllers",
	"io.containerd.grpc.v1.streaming",
	"io.containerd.grpc.v1.transfer",
	"io.containerd.image-verifier.v1.bindir",
	"io.containerd.internal.v1.opt",
	"io.containerd.internal.v1.restart",
	"io.containerd.internal.v1.tracing",
	"io.containerd.nri.v1.nri",
	"io.containerd.snapshotter.v1.blockfile",
	"io.containerd.snapshotter.v1.btrfs",
	"io.containerd.snapshotter.v1.devmapper",
	"io.containerd.snapshotter.v1.erofs",
	"io.containerd.snapshotter.v1.zfs",
	"io.containerd.tracing.processor.v1.otlp",
	"io.containerd.transfer.v1.local",
}

// required are plugins without which a daemon answers and is of no use: it ends
// instead, and says why, when one cannot be loaded, above all for damaged data.
var required = []string{
	"io.containerd.content.v1.content",
	"io.containerd.grpc.v1.containers",
	"io.containerd.grpc.v1.content",
	"io.containerd.grpc.v1.images",
	"io.containerd.grpc.v1.leases",
	"io.containerd.grpc.v1.snapshots",
	"io.containerd.grpc.v1.tasks",
	"io.containerd.metadata.v1.bolt",
	"io.containerd.runtime.v2.task",
}

const overlay = "io.containerd.snapshotter.v1.overlayfs"

// config is containerd's configuration file (containerd's docs/man
// containerd-config.toml.5), in a version that all of 2.x read.
func (d *Daemon) config() []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line(`version = 3`)
	line(`root = %q`, d.RootDir)
	line(`state = %q`, d.StateDir)
	line(`oom_score = -999`)
	line(`imports = []`)
	line(`disabled_plugins = [`)
	for _, plugin := range unwanted {
		line(`  %q,`, plugin)
	}
	line(`]`)
	line(`required_plugins = [`)
	for _, plugin := range required {
		line(`  %q,`, plugin)
	}
	// Not every file system can do it; one that could goes on to.
	if _, err := os.Stat(filepath.Join(d.RootDir, overlay, "metadata.db")); err == nil {
		line(`  %q,`, overlay)
	}
	line(`]`)
	line(`[debug]`)
	line(`  level = "warn"`)
	line(`[grpc]`)
	line(`  address = %q`, d.Address())
	line(`[ttrpc]`)
	line(`  address = %q`, d.Address()+".ttrpc")
	if d.Cgroup != "" {
		line(`[cgroup]`)
		line(`  path = %q`, d.Cgroup)
	}
	line(`[plugins."io.containerd.shim.v1.manager"]`)
	line(`  socket_dir = %q`, filepath.Join(d.StateDir, "s"))
	return b.Bytes()
}
