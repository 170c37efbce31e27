package efs

import (
	"context"
	"slices"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/efs"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// emptySize is the size in bytes that EFS shows of a file system without files.
// Source: EFS user guide, "Metering: How Amazon EFS reports file system and object sizes".
const emptySize = 6144

// shownFileSystem is a file system as clients see it.
func shownFileSystem(r store.Reader, f *record.EFSFileSystem) efs.FileSystemDescription {
	d := f.FileSystem
	d.Name, d.Tags = plan.FileSystemName(d.Tags), aws.List(d.Tags)
	d.SizeInBytes = &efs.FileSystemSize{Value: new(int64(emptySize)), ValueInIA: new(int64(0)), ValueInStandard: new(int64(emptySize)), ValueInArchive: new(int64(0))}
	d.NumberOfMountTargets = new(int32(len(mountTargets(r, f.Key()))))
	return d
}

func mountTargets(r store.Reader, fileSystem string) []*record.EFSMountTarget {
	return slices.Collect(store.EFSMountTargets.By(r, store.ByFileSystem, fileSystem))
}

// CreateFileSystem makes a file system. It can be used at once, and is said to be
// creating, as clients expect.
func (s *Server) CreateFileSystem(ctx context.Context, in *efs.CreateFileSystemInput) (*efs.CreateFileSystemOutput, error) {
	if err := checkFileSystem(in); err != nil {
		return nil, err
	}
	var out efs.CreateFileSystemOutput
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		for f := range store.EFSFileSystems.Prefix(tx, scope.Key()) {
			if *f.FileSystem.CreationToken == *in.CreationToken {
				id := *f.FileSystem.FileSystemId
				return failed(efs.FileSystemAlreadyExists("File system '%s' already exists with creation token '%s'", id, *in.CreationToken).WithField("FileSystemId", id))
			}
		}
		f, err := newFileSystem(tx, scope, in, now())
		if err != nil {
			return err
		}
		store.EFSFileSystems.Put(tx, f)
		d := shownFileSystem(tx, f)
		d.LifeCycleState = efs.LifeCycleStateCreating
		out = efs.CreateFileSystemOutput(d)
		return nil
	})
	return &out, err
}

// checkFileSystem refuses what no file system can be.
func checkFileSystem(in *efs.CreateFileSystemInput) error {
	if err := checkThroughput(in.ThroughputMode, in.ProvisionedThroughputInMibps); err != nil {
		return err
	}
	switch {
	case in.KmsKeyId != nil:
		return invalid("Fargo does not implement file systems that are encrypted with a key of the caller's (KmsKeyId).")
	case in.PerformanceMode == efs.PerformanceModeMaxIO && in.ThroughputMode == efs.ThroughputModeElastic:
		return invalid("Max I/O performance mode is not supported with Elastic throughput.")
	}
	return tagRules.Check(in.Tags)
}

func checkThroughput(mode efs.ThroughputMode, provisioned *float64) error {
	if (mode == efs.ThroughputModeProvisioned) != (provisioned != nil) {
		return invalid("ProvisionedThroughputInMibps is required with the throughput mode provisioned, and with no other.")
	}
	return nil
}

func newFileSystem(r store.Reader, scope fargo.Scope, in *efs.CreateFileSystemInput, at time.Time) (*record.EFSFileSystem, error) {
	id := fargo.NewEC2ID("fs")
	f := &record.EFSFileSystem{Scope: scope, Backup: efs.StatusDisabled, FileSystem: efs.FileSystemDescription{
		OwnerId: &scope.Account, CreationToken: in.CreationToken, FileSystemId: &id, FileSystemArn: new(arnOf(scope, id)),
		CreationTime: &at, LifeCycleState: efs.LifeCycleStateAvailable, PerformanceMode: efs.PerformanceModeGeneralPurpose,
		Encrypted: new(aws.Value(in.Encrypted)), ThroughputMode: efs.ThroughputModeBursting, ProvisionedThroughputInMibps: in.ProvisionedThroughputInMibps,
		AvailabilityZoneName: in.AvailabilityZoneName, Tags: in.Tags,
		FileSystemProtection: &efs.FileSystemProtectionDescription{ReplicationOverwriteProtection: efs.ReplicationOverwriteProtectionEnabled},
	}}
	if in.PerformanceMode != "" {
		f.FileSystem.PerformanceMode = in.PerformanceMode
	}
	if in.ThroughputMode != "" {
		f.FileSystem.ThroughputMode = in.ThroughputMode
	}
	if zone := in.AvailabilityZoneName; zone != nil {
		id, ok := zoneID(r, scope, *zone)
		if !ok {
			return nil, failed(efs.UnsupportedAvailabilityZone("No subnet is in the availability zone '%s'.", *zone))
		}
		f.FileSystem.AvailabilityZoneId = &id
	}
	if in.Backup != nil && *in.Backup || in.Backup == nil && in.AvailabilityZoneName != nil {
		f.Backup = efs.StatusEnabled
	}
	return f, nil
}

// zoneID is the id of a zone, as the subnets in it have it.
func zoneID(r store.Reader, scope fargo.Scope, zone string) (string, bool) {
	for s := range store.EC2Subnets.Prefix(r, scope.Key()) {
		if *s.Subnet.AvailabilityZone == zone {
			return aws.Value(s.Subnet.AvailabilityZoneId), true
		}
	}
	return "", false
}

// DescribeFileSystems shows file systems: all, one, or the one with a creation token.
func (s *Server) DescribeFileSystems(ctx context.Context, in *efs.DescribeFileSystemsInput) (*efs.DescribeFileSystemsOutput, error) {
	view, scope := s.db.View(), api.CallFrom(ctx).Scope()
	if in.FileSystemId != nil && in.CreationToken != nil {
		return nil, invalid("Request cannot contain both a file system ID and a creation token.")
	}
	found := slices.Collect(store.EFSFileSystems.Prefix(view, scope.Key()))
	if in.FileSystemId != nil {
		f, err := findFileSystem(view, scope, *in.FileSystemId)
		if err != nil {
			return nil, err
		}
		found = []*record.EFSFileSystem{f}
	}
	found = slices.DeleteFunc(found, func(f *record.EFSFileSystem) bool {
		return in.CreationToken != nil && *f.FileSystem.CreationToken != *in.CreationToken
	})
	some, next, err := page.Of(ask(in, in.Marker, in.MaxItems), slices.Values(found), (*record.EFSFileSystem).Key)
	out := &efs.DescribeFileSystemsOutput{Marker: in.Marker, NextMarker: next, FileSystems: []efs.FileSystemDescription{}}
	for _, f := range some {
		out.FileSystems = append(out.FileSystems, shownFileSystem(view, f))
	}
	return out, err
}

// changeFileSystem stores what change makes of a file system, and gives it back.
func (s *Server) changeFileSystem(ctx context.Context, name string, change func(*record.EFSFileSystem) error) (*record.EFSFileSystem, error) {
	var changed record.EFSFileSystem
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		f, err := findFileSystem(tx, scope, name)
		if err != nil {
			return err
		}
		changed = *f
		if err := change(&changed); err != nil {
			return err
		}
		store.EFSFileSystems.Put(tx, &changed)
		return nil
	})
	return &changed, err
}

// UpdateFileSystem changes the throughput that is kept of a file system.
func (s *Server) UpdateFileSystem(ctx context.Context, in *efs.UpdateFileSystemInput) (*efs.UpdateFileSystemOutput, error) {
	f, err := s.changeFileSystem(ctx, *in.FileSystemId, func(f *record.EFSFileSystem) error {
		if in.ThroughputMode != "" {
			f.FileSystem.ThroughputMode = in.ThroughputMode
		}
		f.FileSystem.ProvisionedThroughputInMibps = in.ProvisionedThroughputInMibps
		return checkThroughput(f.FileSystem.ThroughputMode, in.ProvisionedThroughputInMibps)
	})
	if err != nil {
		return nil, err
	}
	return new(efs.UpdateFileSystemOutput(shownFileSystem(s.db.View(), f))), nil
}

// DeleteFileSystem deletes a file system that has no mount target, with its access points.
func (s *Server) DeleteFileSystem(ctx context.Context, in *efs.DeleteFileSystemInput) (*efs.DeleteFileSystemOutput, error) {
	return &efs.DeleteFileSystemOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		f, err := findFileSystem(tx, scope, *in.FileSystemId)
		if err != nil {
			return err
		}
		if len(mountTargets(tx, f.Key())) > 0 {
			return failed(efs.FileSystemInUse("You cannot delete a file system that still has mount targets."))
		}
		store.DeleteEFSFileSystem(tx, f, now())
		return nil
	})
}
