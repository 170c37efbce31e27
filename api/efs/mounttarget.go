package efs

import (
	"context"
	"net/netip"
	"slices"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/efs"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// mostGroups is how many security groups a mount target can have.
// Source: EFS quotas, "Security groups for each mount target".
const mostGroups = 5

// CreateMountTarget says that a file system can be mounted in a subnet's zone, and gives it
// a network interface there.
func (s *Server) CreateMountTarget(ctx context.Context, in *efs.CreateMountTargetInput) (*efs.CreateMountTargetOutput, error) {
	if in.Ipv6Address != nil || in.IpAddressType != "" && in.IpAddressType != efs.IpAddressTypeIpv4Only {
		return nil, invalid("Fargo does not implement mount targets with IPv6 addresses.")
	}
	var out efs.CreateMountTargetOutput
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		m, err := newMountTarget(tx, scope, in)
		out = efs.CreateMountTargetOutput(m.MountTarget)
		out.LifeCycleState = efs.LifeCycleStateCreating
		return err
	})
	return &out, err
}

func newMountTarget(tx *store.Tx, scope fargo.Scope, in *efs.CreateMountTargetInput) (m record.EFSMountTarget, err error) {
	f, err := findFileSystem(tx, scope, *in.FileSystemId)
	if err != nil {
		return m, err
	}
	subnet, ok := store.EC2Subnets.Get(tx, scope.Key(*in.SubnetId))
	if !ok {
		return m, failed(efs.SubnetNotFound("The subnet ID '%s' does not exist", *in.SubnetId))
	}
	zone, vpc := *subnet.Subnet.AvailabilityZone, *subnet.Subnet.VpcId
	if text := plan.MountTargetConflict(mountTargets(tx, f.Key()), vpc, zone); text != "" {
		return m, failed(efs.MountTargetConflict("%s", text))
	}
	if only := f.FileSystem.AvailabilityZoneName; only != nil && *only != zone {
		return m, failed(efs.AvailabilityZonesMismatch("The file system's availability zone %s is not the subnet's, %s.", *only, zone))
	}
	groups, err := groups(tx, scope, vpc, in.SecurityGroups)
	if err != nil {
		return m, err
	}
	m = record.EFSMountTarget{Scope: scope, MountTarget: efs.MountTargetDescription{
		OwnerId: &scope.Account, MountTargetId: new(fargo.NewEC2ID("fsmt")), FileSystemId: f.FileSystem.FileSystemId, SubnetId: in.SubnetId,
		LifeCycleState: efs.LifeCycleStateAvailable, NetworkInterfaceId: new(fargo.NewEC2ID("eni")), VpcId: &vpc,
		AvailabilityZoneId: subnet.Subnet.AvailabilityZoneId, AvailabilityZoneName: &zone,
	}}
	address, err := chooseAddress(tx, &m, subnet, in.IpAddress)
	if err != nil {
		return m, err
	}
	m.MountTarget.IpAddress = new(address.String())
	store.EFSMountTargets.Put(tx, &m)
	store.EC2NetworkInterfaces.Put(tx, plan.MountTargetInterface(&m, subnet, address, groups, now()))
	return m, nil
}

// chooseAddress is the address that was asked for, or any free one of the subnet.
func chooseAddress(r store.Reader, m *record.EFSMountTarget, subnet *record.EC2Subnet, wanted *string) (netip.Addr, error) {
	taken := func(a netip.Addr) bool { return store.AddressTaken(r, *m.MountTarget.VpcId, a) }
	if wanted == nil {
		a, ok := plan.FreeAddress(subnet.Prefix(), *m.MountTarget.NetworkInterfaceId, taken)
		if !ok {
			return a, failed(efs.NoFreeAddressesInSubnet("Subnet '%s' has no free addresses.", *m.MountTarget.SubnetId))
		}
		return a, nil
	}
	a, err := netip.ParseAddr(*wanted)
	switch {
	case err != nil || !plan.Assignable(subnet.Prefix(), a):
		return a, invalid("Address does not fall within the subnet's address range")
	case taken(a):
		return a, failed(efs.IpAddressInUse("Address %s is in use.", a))
	}
	return a, nil
}

// groups are those named, or the VPC's default one.
func groups(r store.Reader, scope fargo.Scope, vpc string, ids []string) ([]ec2.GroupIdentifier, error) {
	if len(ids) > mostGroups {
		return nil, failed(efs.SecurityGroupLimitExceeded("The maximum number of security groups per interface has been reached."))
	}
	var out []ec2.GroupIdentifier
	for g := range store.EC2SecurityGroups.By(r, store.ByVPC, vpc) {
		if slices.Contains(ids, *g.Group.GroupId) || len(ids) == 0 && *g.Group.GroupName == "default" {
			out = append(out, ec2.GroupIdentifier{GroupId: g.Group.GroupId, GroupName: g.Group.GroupName})
		}
	}
	for _, id := range ids {
		if !slices.ContainsFunc(out, func(g ec2.GroupIdentifier) bool { return *g.GroupId == id }) {
			return nil, failed(efs.SecurityGroupNotFound("The SecurityGroup ID '%s' does not exist", id))
		}
	}
	return out, nil
}

// DescribeMountTargets shows one mount target, or those of a file system or of an access
// point's.
func (s *Server) DescribeMountTargets(ctx context.Context, in *efs.DescribeMountTargetsInput) (*efs.DescribeMountTargetsOutput, error) {
	view, scope := s.db.View(), api.CallFrom(ctx).Scope()
	found, err := describedMountTargets(view, scope, in)
	if err != nil {
		return nil, err
	}
	some, next, err := page.Of(ask(in, in.Marker, in.MaxItems), slices.Values(found), (*record.EFSMountTarget).Key)
	out := &efs.DescribeMountTargetsOutput{Marker: in.Marker, NextMarker: next, MountTargets: []efs.MountTargetDescription{}}
	for _, m := range some {
		out.MountTargets = append(out.MountTargets, m.MountTarget)
	}
	return out, err
}

func describedMountTargets(r store.Reader, scope fargo.Scope, in *efs.DescribeMountTargetsInput) ([]*record.EFSMountTarget, error) {
	given := 0
	for _, p := range []*string{in.FileSystemId, in.MountTargetId, in.AccessPointId} {
		if p != nil {
			given++
		}
	}
	if given != 1 {
		return nil, invalid("Must specify exactly one mutually exclusive parameter.")
	}
	if in.MountTargetId != nil {
		m, err := findMountTarget(r, scope, *in.MountTargetId)
		return []*record.EFSMountTarget{m}, err
	}
	name := aws.Value(in.FileSystemId)
	if in.AccessPointId != nil {
		a, err := findAccessPoint(r, scope, *in.AccessPointId)
		if err != nil {
			return nil, err
		}
		name = *a.AccessPoint.FileSystemId
	}
	f, err := findFileSystem(r, scope, name)
	if err != nil {
		return nil, err
	}
	return mountTargets(r, f.Key()), nil
}

// DeleteMountTarget takes a mount target away with its interface. Who has mounted the file
// system keeps it.
func (s *Server) DeleteMountTarget(ctx context.Context, in *efs.DeleteMountTargetInput) (*efs.DeleteMountTargetOutput, error) {
	return &efs.DeleteMountTargetOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		m, err := findMountTarget(tx, scope, *in.MountTargetId)
		if err != nil {
			return err
		}
		store.DeleteInterface(tx, scope.Key(*m.MountTarget.NetworkInterfaceId))
		store.EFSMountTargets.Delete(tx, m.Key())
		return nil
	})
}

// DescribeMountTargetSecurityGroups shows the security groups of a mount target.
func (s *Server) DescribeMountTargetSecurityGroups(ctx context.Context, in *efs.DescribeMountTargetSecurityGroupsInput) (*efs.DescribeMountTargetSecurityGroupsOutput, error) {
	view, scope := s.db.View(), api.CallFrom(ctx).Scope()
	m, err := findMountTarget(view, scope, *in.MountTargetId)
	if err != nil {
		return nil, err
	}
	out := &efs.DescribeMountTargetSecurityGroupsOutput{SecurityGroups: []string{}}
	if i, ok := store.EC2NetworkInterfaces.Get(view, scope.Key(*m.MountTarget.NetworkInterfaceId)); ok {
		out.SecurityGroups = i.GroupIDs()
	}
	return out, nil
}

// ModifyMountTargetSecurityGroups gives a mount target's interface other security groups.
func (s *Server) ModifyMountTargetSecurityGroups(ctx context.Context, in *efs.ModifyMountTargetSecurityGroupsInput) (*efs.ModifyMountTargetSecurityGroupsOutput, error) {
	return &efs.ModifyMountTargetSecurityGroupsOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		m, err := findMountTarget(tx, scope, *in.MountTargetId)
		if err != nil {
			return err
		}
		i, ok := store.EC2NetworkInterfaces.Get(tx, scope.Key(*m.MountTarget.NetworkInterfaceId))
		if !ok {
			return failed(efs.IncorrectMountTargetState("Mount target '%s' has no network interface.", *in.MountTargetId))
		}
		changed := *i
		if changed.Interface.Groups, err = groups(tx, scope, *m.MountTarget.VpcId, in.SecurityGroups); err != nil {
			return err
		}
		store.EC2NetworkInterfaces.Put(tx, &changed)
		return nil
	})
}
