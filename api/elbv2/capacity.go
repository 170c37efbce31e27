package elbv2

import (
	"context"

	"fargo/aws/elbv2"
)

// DescribeCapacityReservation says that nothing is reserved: a load balancer has
// what its machine has. Terraform asks for every load balancer.
func (s *Server) DescribeCapacityReservation(ctx context.Context, in *elbv2.DescribeCapacityReservationInput) (*elbv2.DescribeCapacityReservationOutput, error) {
	r, scope := s.view(ctx)
	if _, err := loadBalancer(r, scope, *in.LoadBalancerArn); err != nil {
		return nil, err
	}
	return &elbv2.DescribeCapacityReservationOutput{CapacityReservationState: []elbv2.ZonalCapacityReservationState{}}, nil
}
