package store

import "fargo/record"

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
