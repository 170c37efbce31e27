package desired

// FileSystemMount is a volume of a task whose files are in a file system, where they stay.
type FileSystemMount struct {
	Volume     string `json:"volume"`     // that MountPoints name
	FileSystem string `json:"fileSystem"` // its id, unique among all there are
	// Directory is the one in the file system that is mounted, from its root: "/",
	// "/data/a". It has to be there, unless Create says how it is made.
	Directory string              `json:"directory"`
	Create    *DirectoryOwnership `json:"create,omitempty"`
	// MissingReason is why a task is stopped whose Directory is not there.
	MissingReason string `json:"missingReason,omitempty"`
	ReadOnly      bool   `json:"readOnly,omitempty"`
	// User is who owns in the file system what the container's own user owns in the
	// container. nil: users are the same in both.
	User *PosixUser `json:"user,omitempty"`
	// SquashRoot has nobody (65534) own in the file system what root owns in the
	// container, unless User says otherwise.
	SquashRoot bool `json:"squashRoot,omitempty"`
}

// DirectoryOwnership is how a directory is made.
type DirectoryOwnership struct {
	UID  uint32 `json:"uid"`
	GID  uint32 `json:"gid"`
	Mode uint32 `json:"mode"` // permission bits, as chmod(2) has them
}

// PosixUser is a user and its groups.
type PosixUser struct {
	UID    uint32   `json:"uid"`
	GID    uint32   `json:"gid"`
	Groups []uint32 `json:"groups,omitempty"` // further ones
}

// BlockVolume is a volume of a task with a file system and a size of its own.
type BlockVolume struct {
	Volume     string `json:"volume"`     // that MountPoints name
	ID         string `json:"id"`         // "vol-…", unique among all there are
	Size       int64  `json:"size"`       // bytes
	FileSystem string `json:"fileSystem"` // xfs, ext3 or ext4
	// Keep says that it stays when the task ends, until it is a [DeletedFileSystem].
	Keep bool `json:"keep,omitempty"`
}

// DeletedFileSystem is a file system, or a volume that was kept, that was deleted: what is
// left of its files is to go, and it is never mounted again. One that a node does not know
// is none of these.
type DeletedFileSystem struct {
	ID string `json:"id"`
}

func deletedFileSystemKey(f *DeletedFileSystem) string { return f.ID }
