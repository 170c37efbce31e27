package instance

import "path/filepath"

// The small files of a data directory.
const (
	idFile           = "instance"
	endpointFile     = "endpoint"
	adminKeyFile     = "admin.json"
	machineFlagsFile = "machine.json"
	caFile           = "ca.pem"
	trustFile        = "trust.pem"
)

func (i *Instance) path(name string) string { return filepath.Join(i.Dir, name) }

func (i *Instance) runtimePath(name string) string { return filepath.Join(i.RuntimeDir(), name) }

// runtimeDir is short, because a socket's path is limited to 107 bytes (unix(7)).
func runtimeDir(id string) string { return "/run/fargo-" + id }

// RuntimeDir holds sockets and other things that end with the machine's uptime.
func (i *Instance) RuntimeDir() string { return runtimeDir(i.ID) }

// StoreDir holds the journal of the control plane's state.
func (i *Instance) StoreDir() string { return i.path("store") }

// SecretsKeyFile has the key that seals secret records in the store.
func (i *Instance) SecretsKeyFile() string { return i.path("secrets.key") }

// LogsDir holds log events.
func (i *Instance) LogsDir() string { return i.path("logs") }

// MetricsDir holds the samples of metrics.
func (i *Instance) MetricsDir() string { return i.path("metrics") }

// AccessLogsDir holds the logs of load balancers that are not in S3 yet, below the names
// of their buckets.
func (i *Instance) AccessLogsDir() string { return i.path("access-logs") }

// AuditDir holds the audit log: a line of JSON for each call of an API.
func (i *Instance) AuditDir() string { return i.path("audit") }

// RegistryDir holds the images pushed to ECR.
func (i *Instance) RegistryDir() string { return i.path("registry") }

// ObjectsDir holds the contents of S3 objects.
func (i *Instance) ObjectsDir() string { return i.path("objects") }

// StorageDir has what tasks write, and is where that is mounted.
func (i *Instance) StorageDir() string { return i.path("storage") }

// VolumesDir has the volumes that outlive their tasks, and is where they are mounted.
func (i *Instance) VolumesDir() string { return i.path("volumes") }

// FileSystemsDir has the files of EFS file systems.
func (i *Instance) FileSystemsDir() string { return i.path("efs") }

// ExecDir has what a node keeps of sessions of ECS Exec, and the port of their channels.
func (i *Instance) ExecDir() string { return i.path("exec") }

// MeasurementsDir holds what the node has measured and the control plane does not have yet.
func (i *Instance) MeasurementsDir() string { return i.path("measurements") }

// NodeDir holds the node's own state and its tasks' files.
func (i *Instance) NodeDir() string { return i.path("node") }

// NodeMemoryDir holds what the node must not forget while the machine is up.
func (i *Instance) NodeMemoryDir() string { return i.runtimePath("node") }

// NodeSecretsDir holds what the node must not leave on a disk: passwords, and keys of
// certificates. The node has its file system be one in memory.
func (i *Instance) NodeSecretsDir() string { return i.runtimePath("node/secrets") }

// ProgramsDir holds the programs that the binary brings along.
func (i *Instance) ProgramsDir() string { return i.path("bin") }

// ContainerdDir holds containerd's images and snapshots.
func (i *Instance) ContainerdDir() string { return i.path("containerd") }

// ContainerdStateDir holds containerd's sockets and what it need not keep.
func (i *Instance) ContainerdStateDir() string { return i.runtimePath("containerd") }

// ContainerdMemoryDir holds the secrets of containers, which must not be left on a disk.
// The node has its file system be one in memory.
func (i *Instance) ContainerdMemoryDir() string { return i.runtimePath("secrets") }

// SourcesDir has sources of mounts for a moment. Nothing in it may be removed with what is
// in it.
func (i *Instance) SourcesDir() string { return i.runtimePath("sources") }

// ContainerdNamespace is the namespace of our containers in any containerd.
func (i *Instance) ContainerdNamespace() string { return "fargo-" + i.ID }

// ContainerdCgroup is the control group of our own containerd and its shims.
func (i *Instance) ContainerdCgroup() string { return "/fargo-" + i.ID + "-containerd" }

// UpLock is held by the control plane while it runs.
func (i *Instance) UpLock() string { return i.path("up.lock") }

// NodeLock is held by the node process while it runs.
func (i *Instance) NodeLock() string { return i.path("node.lock") }

// NodeLog is where the node process writes, since it outlives its parent.
func (i *Instance) NodeLog() string { return i.path("node.log") }

// BalancerDir has the sockets and locks of the load balancer processes.
func (i *Instance) BalancerDir() string { return i.runtimePath("balancer") }

// BalancerLog is where the load balancer processes write.
func (i *Instance) BalancerLog() string { return i.path("balancer.log") }

// Socket is where the node connects to the control plane.
func (i *Instance) Socket() string { return i.runtimePath("control.sock") }

// CAFile has the certificate of the authority that issues what ACM is asked for.
func (i *Instance) CAFile() string { return i.path(caFile) }

// TrustFile has what clients of the APIs must trust. There is none where they are served
// without TLS, or with a certificate that every machine trusts.
func (i *Instance) TrustFile() string { return i.path(trustFile) }
