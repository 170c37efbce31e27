package ec2

import (
	"context"
	"slices"

	"fargo/aws/ec2"
)

// The kinds of resources in this file cannot be created here. Tools that look at a
// whole VPC list them, and get an empty list.

// none answers for a kind of resource of which there is none: filters that the
// operation does not have are refused, and the first id asked for is not there.
func none(operation string, filters []ec2.Filter, ids []string, missing func(id string) error) error {
	f := fields[struct{}]{operation: operation, absent: ec2.Filters[operation]}
	if slices.Contains(f.absent, "tag:") {
		f.tags = func(struct{}) []ec2.Tag { return nil }
	}
	if _, err := f.match(filters); err != nil {
		return err
	}
	for _, id := range ids {
		return missing(id)
	}
	return nil
}

// DescribeInstances shows nothing: there are no instances.
func (s *Server) DescribeInstances(_ context.Context, in *ec2.DescribeInstancesInput) (*ec2.DescribeInstancesOutput, error) {
	return &ec2.DescribeInstancesOutput{Reservations: []ec2.Reservation{}}, none("DescribeInstances", in.Filters, in.InstanceIds, noSuch("i"))
}

// DescribeVpcClassicLink shows nothing: EC2-Classic is gone.
func (s *Server) DescribeVpcClassicLink(_ context.Context, in *ec2.DescribeVpcClassicLinkInput) (*ec2.DescribeVpcClassicLinkOutput, error) {
	return &ec2.DescribeVpcClassicLinkOutput{Vpcs: []ec2.VpcClassicLink{}}, none("DescribeVpcClassicLink", in.Filters, nil, nil)
}

// DescribeVpcClassicLinkDnsSupport shows nothing: EC2-Classic is gone.
func (s *Server) DescribeVpcClassicLinkDnsSupport(context.Context, *ec2.DescribeVpcClassicLinkDnsSupportInput) (*ec2.DescribeVpcClassicLinkDnsSupportOutput, error) {
	return &ec2.DescribeVpcClassicLinkDnsSupportOutput{Vpcs: []ec2.ClassicLinkDnsSupport{}}, nil
}
