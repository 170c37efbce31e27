package record

import (
	"time"

	"fargo"
	"fargo/aws/efs"
)

// EFSFileSystem is a file system of EFS. Nodes have its files.
type EFSFileSystem struct {
	Scope fargo.Scope
	// FileSystem is what Describe shows, but for its name, its size and the number of its
	// mount targets, which are computed.
	FileSystem efs.FileSystemDescription
	Lifecycle  []efs.LifecyclePolicy `json:",omitzero"`
	Policy     string                `json:",omitzero"` // its resource policy; empty for none
	Backup     efs.Status            `json:",omitzero"`
}

// Key is the file system's place in the store.
func (f *EFSFileSystem) Key() string { return f.Scope.Key(*f.FileSystem.FileSystemId) }

// EFSAccessPoint is a way into a file system, as one user and below one directory.
type EFSAccessPoint struct {
	Scope       fargo.Scope
	AccessPoint efs.AccessPointDescription // without its name
}

// Key is the access point's place in the store.
func (a *EFSAccessPoint) Key() string { return a.Scope.Key(*a.AccessPoint.AccessPointId) }

// FileSystemKey is the place in the store of its file system.
func (a *EFSAccessPoint) FileSystemKey() string { return a.Scope.Key(*a.AccessPoint.FileSystemId) }

// EFSMountTarget says that a file system can be mounted in a zone of a VPC. Its security
// groups are those of its network interface.
type EFSMountTarget struct {
	Scope       fargo.Scope
	MountTarget efs.MountTargetDescription
}

// Key is the mount target's place in the store.
func (m *EFSMountTarget) Key() string { return m.Scope.Key(*m.MountTarget.MountTargetId) }

// FileSystemKey is the place in the store of its file system.
func (m *EFSMountTarget) FileSystemKey() string { return m.Scope.Key(*m.MountTarget.FileSystemId) }

// DeletedFileSystem says that a file system of EFS, or a volume of EBS that was kept, was
// deleted, for nodes that may have files of it. It is written once.
type DeletedFileSystem struct {
	ID string
	At time.Time
}

// Key is its place in the store. Ids are unique among all scopes.
func (d *DeletedFileSystem) Key() string { return d.ID }
