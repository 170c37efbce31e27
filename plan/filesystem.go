package plan

import (
	"fmt"
	"strconv"

	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/aws/efs"
	"fargo/desired"
	"fargo/record"
)

// EFSVolume is a volume of a task that is in a file system of EFS.
type EFSVolume struct {
	Volume      *ecs.Volume
	FileSystem  *record.EFSFileSystem // nil: there is none with that id
	Targets     []*record.EFSMountTarget
	AccessPoint *record.EFSAccessPoint // nil: there is none with that id, or none is named
	// Allowed reports whether the policies let the task do an action on the file system.
	Allowed func(action string) bool
}

// What the policies of a file system decide about.
// Source: EFS user guide, "Using IAM to control access to file systems".
const (
	EFSClientMount      = "elasticfilesystem:ClientMount"
	EFSClientWrite      = "elasticfilesystem:ClientWrite"
	EFSClientRootAccess = "elasticfilesystem:ClientRootAccess"
)

// nobody is the user and the group that root is to EFS without EFSClientRootAccess.
// Source: EFS user guide, "Using IAM to control access to file systems".
const nobody = 65534

// Mounted is how a task in a zone of a VPC mounts a volume. reason is why it cannot, in
// Fargate's words; it is empty when it can.
func (v EFSVolume) Mounted(t *record.Task, zone string) (m desired.FileSystemMount, reason string) {
	c := v.Volume.EfsVolumeConfiguration
	id, point := aws.Value(c.FileSystemId), v.accessPointID()
	if v.FileSystem == nil || !v.hasTarget(t.Interface.VPC, zone) {
		return m, efsUnresolved(id, t.Scope.Region)
	}
	if point != "" && (v.AccessPoint == nil || *v.AccessPoint.AccessPoint.FileSystemId != id) || !v.Allowed(EFSClientMount) {
		return m, efsDenied(v.server(t))
	}
	m = desired.FileSystemMount{
		Volume: *v.Volume.Name, FileSystem: id, Directory: aws.ValueOr(c.RootDirectory, "/"),
		ReadOnly: !v.Allowed(EFSClientWrite), SquashRoot: !v.Allowed(EFSClientRootAccess),
	}
	m.MissingReason = efsMissing(v.server(t), m.Directory)
	if v.AccessPoint != nil {
		enter(&m, &v.AccessPoint.AccessPoint)
	}
	return m, ""
}

// enter has a mount go through an access point: at its root, as its user.
func enter(m *desired.FileSystemMount, a *efs.AccessPointDescription) {
	m.Directory = aws.ValueOr(a.RootDirectory.Path, "/")
	if c := a.RootDirectory.CreationInfo; c != nil {
		mode, _ := strconv.ParseUint(aws.Value(c.Permissions), 8, 32)
		m.Create = &desired.DirectoryOwnership{UID: uint32(aws.Value(c.OwnerUid)), GID: uint32(aws.Value(c.OwnerGid)), Mode: uint32(mode)}
	}
	if u := a.PosixUser; u != nil {
		m.User = &desired.PosixUser{UID: uint32(aws.Value(u.Uid)), GID: uint32(aws.Value(u.Gid))}
		for _, g := range u.SecondaryGids {
			m.User.Groups = append(m.User.Groups, uint32(g))
		}
		if m.SquashRoot && m.User.UID == 0 {
			m.User.UID, m.User.GID = nobody, nobody
		}
	}
}

func (v EFSVolume) accessPointID() string {
	if a := v.Volume.EfsVolumeConfiguration.AuthorizationConfig; a != nil {
		return aws.Value(a.AccessPointId)
	}
	return ""
}

// IAM reports whether the task's role mounts the volume. Otherwise nobody does, by name.
func (v EFSVolume) IAM() bool {
	a := v.Volume.EfsVolumeConfiguration.AuthorizationConfig
	return a != nil && a.Iam == ecs.EFSAuthorizationConfigIAMEnabled
}

// Encrypted reports whether the volume is mounted by TLS.
func (v EFSVolume) Encrypted() bool {
	return v.Volume.EfsVolumeConfiguration.TransitEncryption == ecs.EFSTransitEncryptionEnabled
}

// hasTarget reports whether the file system has a mount target in a zone of a VPC: its
// name stands for that one there.
// Source: EFS user guide, "Mounting on Amazon EC2 with a DNS name".
func (v EFSVolume) hasTarget(vpc, zone string) bool {
	for _, m := range v.Targets {
		if *m.MountTarget.VpcId == vpc && *m.MountTarget.AvailabilityZoneName == zone {
			return true
		}
	}
	return false
}

// server is what NFS is told to mount from: with TLS a proxy in the task.
func (v EFSVolume) server(t *record.Task) string {
	if v.Encrypted() {
		return "127.0.0.1"
	}
	return efsName(aws.Value(v.Volume.EfsVolumeConfiguration.FileSystemId), t.Scope.Region)
}

func efsName(id, region string) string { return id + ".efs." + region + ".amazonaws.com" }

// efsFailed is the beginning of all that follows.
const efsFailed = "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: "

// efsUnresolved: Source: cn-terraform/terraform-aws-jenkins, issue 23; aws/efs-utils, mount_efs.
func efsUnresolved(id, region string) string {
	return fmt.Sprintf("%sFailed to resolve %q - check that your file system ID is correct, and ensure that the VPC has an EFS mount target for this file system ID. "+
		"See https://docs.aws.amazon.com/console/efs/mount-dns-name for more detail. Attempting to lookup mount target ip address using botocore. "+
		"Failed to import necessary dependency botocore, please install botocore first. : unsuccessful EFS utils command execution; code: 1", efsFailed, efsName(id, region))
}

// efsDenied: Source: aws/copilot-cli, issue 3350; aws-samples/aws-cdk-examples, issue 920.
func efsDenied(server string) string {
	return efsFailed + "b'mount.nfs4: access denied by server while mounting " + server + ":/' : unsuccessful EFS utils command execution; code: 32"
}

// efsMissing: Source: acp-io/terraform-grafana, issue 4.
func efsMissing(server, directory string) string {
	return efsFailed + "b'mount.nfs4: mounting " + server + ":" + directory + " failed, reason given by server: No such file or directory' : unsuccessful EFS utils command execution; code: 32"
}
