package efs

import (
	"context"
	"slices"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/efs"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// shownAccessPoint is an access point as clients see it.
func shownAccessPoint(a *record.EFSAccessPoint) efs.AccessPointDescription {
	d := a.AccessPoint
	d.Name, d.Tags = plan.FileSystemName(d.Tags), aws.List(d.Tags)
	return d
}

// CreateAccessPoint makes an access point. The same call with the same token makes one.
func (s *Server) CreateAccessPoint(ctx context.Context, in *efs.CreateAccessPointInput) (*efs.CreateAccessPointOutput, error) {
	if err := tagRules.Check(in.Tags); err != nil {
		return nil, err
	}
	var out efs.CreateAccessPointOutput
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		f, err := findFileSystem(tx, scope, *in.FileSystemId)
		if err != nil {
			return err
		}
		for a := range store.EFSAccessPoints.Prefix(tx, scope.Key()) {
			if *a.AccessPoint.ClientToken == *in.ClientToken {
				id := *a.AccessPoint.AccessPointId
				return failed(efs.AccessPointAlreadyExists("Access point already exists with creation token '%s'", *in.ClientToken).WithField("AccessPointId", id))
			}
		}
		id := fargo.NewEC2ID("fsap")
		a := &record.EFSAccessPoint{Scope: scope, AccessPoint: efs.AccessPointDescription{
			ClientToken: in.ClientToken, Tags: in.Tags, AccessPointId: &id, AccessPointArn: new(arnOf(scope, id)), FileSystemId: f.FileSystem.FileSystemId,
			PosixUser: in.PosixUser, RootDirectory: rootDirectory(in.RootDirectory), OwnerId: &scope.Account, LifeCycleState: efs.LifeCycleStateAvailable,
		}}
		store.EFSAccessPoints.Put(tx, a)
		d := shownAccessPoint(a)
		d.LifeCycleState = efs.LifeCycleStateCreating
		out = efs.CreateAccessPointOutput(d)
		return nil
	})
	return &out, err
}

// rootDirectory is the root of an access point: that of the file system unless said
// otherwise.
func rootDirectory(given *efs.RootDirectory) *efs.RootDirectory {
	root := efs.RootDirectory{Path: new("/")}
	if given != nil {
		root.CreationInfo = given.CreationInfo
		if given.Path != nil {
			root.Path = given.Path
		}
	}
	return &root
}

// DescribeAccessPoints shows access points: all, one, or those of a file system.
func (s *Server) DescribeAccessPoints(ctx context.Context, in *efs.DescribeAccessPointsInput) (*efs.DescribeAccessPointsOutput, error) {
	view, scope := s.db.View(), api.CallFrom(ctx).Scope()
	var found []*record.EFSAccessPoint
	switch {
	case in.AccessPointId != nil && in.FileSystemId != nil:
		return nil, invalid("Request cannot contain both a file system ID and an access point ID.")
	case in.AccessPointId != nil:
		a, err := findAccessPoint(view, scope, *in.AccessPointId)
		if err != nil {
			return nil, err
		}
		found = append(found, a)
	case in.FileSystemId != nil:
		f, err := findFileSystem(view, scope, *in.FileSystemId)
		if err != nil {
			return nil, err
		}
		found = slices.Collect(store.EFSAccessPoints.By(view, store.ByFileSystem, f.Key()))
	default:
		found = slices.Collect(store.EFSAccessPoints.Prefix(view, scope.Key()))
	}
	some, next, err := page.Of(ask(in, in.NextToken, in.MaxResults), slices.Values(found), (*record.EFSAccessPoint).Key)
	out := &efs.DescribeAccessPointsOutput{NextToken: next, AccessPoints: []efs.AccessPointDescription{}}
	for _, a := range some {
		out.AccessPoints = append(out.AccessPoints, shownAccessPoint(a))
	}
	return out, err
}

// DeleteAccessPoint deletes an access point. Who has mounted it keeps it.
func (s *Server) DeleteAccessPoint(ctx context.Context, in *efs.DeleteAccessPointInput) (*efs.DeleteAccessPointOutput, error) {
	return &efs.DeleteAccessPointOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		a, err := findAccessPoint(tx, scope, *in.AccessPointId)
		if err != nil {
			return err
		}
		store.EFSAccessPoints.Delete(tx, a.Key())
		return nil
	})
}
