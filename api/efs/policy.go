package efs

import (
	"context"

	"fargo/api"
	"fargo/aws"
	"fargo/aws/efs"
	"fargo/policy"
	"fargo/record"
)

// DescribeFileSystemPolicy shows the resource policy of a file system that has one.
func (s *Server) DescribeFileSystemPolicy(ctx context.Context, in *efs.DescribeFileSystemPolicyInput) (*efs.DescribeFileSystemPolicyOutput, error) {
	f, err := findFileSystem(s.db.View(), api.CallFrom(ctx).Scope(), *in.FileSystemId)
	if err != nil {
		return nil, err
	}
	if f.Policy == "" {
		return nil, failed(efs.PolicyNotFound("No policy found for file system %s.", *f.FileSystem.FileSystemId))
	}
	return &efs.DescribeFileSystemPolicyOutput{FileSystemId: f.FileSystem.FileSystemId, Policy: &f.Policy}, nil
}

// PutFileSystemPolicy gives a file system a resource policy.
func (s *Server) PutFileSystemPolicy(ctx context.Context, in *efs.PutFileSystemPolicyInput) (*efs.PutFileSystemPolicyOutput, error) {
	f, err := s.changeFileSystem(ctx, *in.FileSystemId, func(f *record.EFSFileSystem) error {
		if _, err := policy.Parse(*in.Policy); err != nil {
			return failed(efs.InvalidPolicyException("%s", err))
		}
		f.Policy = *in.Policy
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &efs.PutFileSystemPolicyOutput{FileSystemId: f.FileSystem.FileSystemId, Policy: &f.Policy}, nil
}

// DeleteFileSystemPolicy takes the resource policy away, if there is one.
func (s *Server) DeleteFileSystemPolicy(ctx context.Context, in *efs.DeleteFileSystemPolicyInput) (*efs.DeleteFileSystemPolicyOutput, error) {
	_, err := s.changeFileSystem(ctx, *in.FileSystemId, func(f *record.EFSFileSystem) error {
		f.Policy = ""
		return nil
	})
	return &efs.DeleteFileSystemPolicyOutput{}, err
}

// DescribeLifecycleConfiguration shows the lifecycle policies that are kept.
func (s *Server) DescribeLifecycleConfiguration(ctx context.Context, in *efs.DescribeLifecycleConfigurationInput) (*efs.DescribeLifecycleConfigurationOutput, error) {
	f, err := findFileSystem(s.db.View(), api.CallFrom(ctx).Scope(), *in.FileSystemId)
	if err != nil {
		return nil, err
	}
	return &efs.DescribeLifecycleConfigurationOutput{LifecyclePolicies: aws.List(f.Lifecycle)}, nil
}

// PutLifecycleConfiguration keeps lifecycle policies, each with one transition.
func (s *Server) PutLifecycleConfiguration(ctx context.Context, in *efs.PutLifecycleConfigurationInput) (*efs.PutLifecycleConfigurationOutput, error) {
	seen := map[efs.LifecyclePolicy]bool{}
	for _, p := range in.LifecyclePolicies {
		kind := efs.LifecyclePolicy{}
		given := 0
		if p.TransitionToIA != "" {
			kind.TransitionToIA, given = "any", given+1
		}
		if p.TransitionToArchive != "" {
			kind.TransitionToArchive, given = "any", given+1
		}
		if p.TransitionToPrimaryStorageClass != "" {
			kind.TransitionToPrimaryStorageClass, given = "any", given+1
		}
		if given != 1 || seen[kind] {
			return nil, invalid("One or more LifecyclePolicy objects specified are malformed.")
		}
		seen[kind] = true
	}
	f, err := s.changeFileSystem(ctx, *in.FileSystemId, func(f *record.EFSFileSystem) error {
		f.Lifecycle = in.LifecyclePolicies
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &efs.PutLifecycleConfigurationOutput{LifecyclePolicies: aws.List(f.Lifecycle)}, nil
}

// DescribeBackupPolicy shows whether backups are asked for.
func (s *Server) DescribeBackupPolicy(ctx context.Context, in *efs.DescribeBackupPolicyInput) (*efs.DescribeBackupPolicyOutput, error) {
	f, err := findFileSystem(s.db.View(), api.CallFrom(ctx).Scope(), *in.FileSystemId)
	if err != nil {
		return nil, err
	}
	return &efs.DescribeBackupPolicyOutput{BackupPolicy: &efs.BackupPolicy{Status: f.Backup}}, nil
}

// PutBackupPolicy keeps whether backups are asked for.
func (s *Server) PutBackupPolicy(ctx context.Context, in *efs.PutBackupPolicyInput) (*efs.PutBackupPolicyOutput, error) {
	status := in.BackupPolicy.Status
	if status != efs.StatusEnabled && status != efs.StatusDisabled {
		return nil, invalid("The status of a backup policy can be set to ENABLED or DISABLED, not to %s.", status)
	}
	_, err := s.changeFileSystem(ctx, *in.FileSystemId, func(f *record.EFSFileSystem) error {
		f.Backup = status
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &efs.PutBackupPolicyOutput{BackupPolicy: &efs.BackupPolicy{Status: status}}, nil
}
