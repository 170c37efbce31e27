package ec2

import (
	"context"
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
func interfaceView(i *record.EC2NetworkInterface) ec2.NetworkInterface {
	v := i.Interface
	v.AvailabilityZoneId = zoneIDOf(i.Scope.Region, aws.Value(v.AvailabilityZone))
	return v
}

// DescribeNetworkInterfaces shows interfaces, those of tasks among them.
func (s *Server) DescribeNetworkInterfaces(ctx context.Context, in *ec2.DescribeNetworkInterfacesInput) (*ec2.DescribeNetworkInterfacesOutput, error) {
	found, next, err := describe(store.EC2NetworkInterfaces.Prefix(s.db.View(), api.CallFrom(ctx).Scope().Key()),
		query{in.NetworkInterfaceIds, in.Filters, pages.Ask(in, in.NextToken, in.MaxResults)}, interfaceFields,
		func(i *record.EC2NetworkInterface) string { return *i.Interface.NetworkInterfaceId }, noInterface)
	out := &ec2.DescribeNetworkInterfacesOutput{NetworkInterfaces: []ec2.NetworkInterface{}, NextToken: next}
	for _, i := range found {
		out.NetworkInterfaces = append(out.NetworkInterfaces, interfaceView(i))
	}
	return out, err
}

// DeleteNetworkInterface deletes an interface that is nobody's. A task's goes
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
		store.EC2NetworkInterfaces.Delete(tx, i.Key())
		return nil
	})
}
