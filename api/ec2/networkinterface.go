package ec2

import (
	"context"
	"iter"
	"net/netip"
	"slices"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

// interfaceView is an interface as clients see it.
func interfaceView(r store.Reader, i *record.EC2NetworkInterface) ec2.NetworkInterface {
	v := i.Interface
	v.AvailabilityZoneId = zoneIDOf(i.Scope.Region, aws.Value(v.AvailabilityZone))
	v.Association = associationView(r, i, v.Association)
	v.PrivateIpAddresses = slices.Clone(v.PrivateIpAddresses)
	for n := range v.PrivateIpAddresses {
		a := &v.PrivateIpAddresses[n]
		a.Association = associationView(r, i, a.Association)
	}
	return v
}

// associationView is an association with its public name, which there is only in VPCs
// that name hosts.
func associationView(r store.Reader, i *record.EC2NetworkInterface, a *ec2.NetworkInterfaceAssociation) *ec2.NetworkInterfaceAssociation {
	if a == nil {
		return nil
	}
	v := *a
	v.PublicDnsName = new("")
	if vpc, ok := store.EC2VPCs.Get(r, i.Scope.Key(*i.Interface.VpcId)); ok && vpc.NamesHosts() {
		v.PublicDnsName = new(fargo.PublicDNSName(i.Scope.Region, netip.MustParseAddr(*v.PublicIp)))
	}
	return &v
}

// interfaceViews are interfaces as clients see them.
func interfaceViews(r store.Reader, scope fargo.Scope) iter.Seq[anInterface] {
	return func(yield func(anInterface) bool) {
		for i := range store.EC2NetworkInterfaces.Prefix(r, scope.Key()) {
			v := *i
			v.Interface = interfaceView(r, i)
			if !yield(&v) {
				return
			}
		}
	}
}

// DescribeNetworkInterfaces shows interfaces, those of tasks among them.
func (s *Server) DescribeNetworkInterfaces(ctx context.Context, in *ec2.DescribeNetworkInterfacesInput) (*ec2.DescribeNetworkInterfacesOutput, error) {
	found, next, err := describe(interfaceViews(s.db.View(), api.CallFrom(ctx).Scope()),
		query{in.NetworkInterfaceIds, in.Filters, pages.Ask(in, in.NextToken, in.MaxResults)}, interfaceFields,
		func(i *record.EC2NetworkInterface) string { return *i.Interface.NetworkInterfaceId }, noInterface)
	out := &ec2.DescribeNetworkInterfacesOutput{NetworkInterfaces: []ec2.NetworkInterface{}, NextToken: next}
	for _, i := range found {
		out.NetworkInterfaces = append(out.NetworkInterfaces, i.Interface)
	}
	return out, err
}

// DeleteNetworkInterface deletes an interface that is nobody's. An Elastic IP address
// that it has stays allocated. A task's goes
// with its task, a load balancer's with the load balancer.
func (s *Server) DeleteNetworkInterface(ctx context.Context, in *ec2.DeleteNetworkInterfaceInput) (*ec2.DeleteNetworkInterfaceOutput, error) {
	return &ec2.DeleteNetworkInterfaceOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		i, ok := store.EC2NetworkInterfaces.Get(tx, scope.Key(*in.NetworkInterfaceId))
		if !ok {
			return noInterface(*in.NetworkInterfaceId)
		}
		if i.TaskARN != "" || aws.Value(i.Interface.RequesterManaged) {
			return protocol.Errorf("OperationNotPermitted", "You are not allowed to manage 'ela-attach' attachments.")
		}
		store.DeleteInterface(tx, i.Key())
		return nil
	})
}
