package store

import (
	"time"

	"fargo/record"
)

// EFSFileSystems are the file systems of EFS, by scope and id.
var EFSFileSystems = NewTable("efsfilesystem", (*record.EFSFileSystem).Key)

// ByFileSystem is the index of what belongs to file systems by the file system's key.
const ByFileSystem = "filesystem"

// EFSAccessPoints are the access points, by scope and id.
var EFSAccessPoints = NewTable("efsaccesspoint", (*record.EFSAccessPoint).Key,
	Index[record.EFSAccessPoint]{ByFileSystem, func(a *record.EFSAccessPoint) []string { return []string{a.FileSystemKey()} }})

// EFSMountTargets are the mount targets, by scope and id.
var EFSMountTargets = NewTable("efsmounttarget", (*record.EFSMountTarget).Key,
	Index[record.EFSMountTarget]{ByFileSystem, func(m *record.EFSMountTarget) []string { return []string{m.FileSystemKey()} }})

// DeletedFileSystems are the file systems and volumes that were deleted of late, by id.
var DeletedFileSystems = NewTable("deletedefsfilesystem", (*record.DeletedFileSystem).Key)

// DeleteEFSFileSystem deletes a file system with its access points, and has nodes remove
// its files.
func DeleteEFSFileSystem(tx *Tx, f *record.EFSFileSystem, now time.Time) {
	for a := range EFSAccessPoints.By(tx, ByFileSystem, f.Key()) {
		EFSAccessPoints.Delete(tx, a.Key())
	}
	EFSFileSystems.Delete(tx, f.Key())
	DeletedFileSystems.Put(tx, &record.DeletedFileSystem{ID: *f.FileSystem.FileSystemId, At: now})
}
