package plan_test

import (
	"net/netip"
	"slices"
	"testing"

	"fargo/aws/ec2"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
)

// What Fargate sends for a task comes by the interface endpoint of the service, if the VPC
// has one that stands for the service's name.
func TestSentFrom(t *testing.T) {
	endpoint := func(id, service string, private bool, state ec2.State) *record.EC2VPCEndpoint {
		return &record.EC2VPCEndpoint{Endpoint: ec2.VpcEndpoint{
			VpcEndpointId: &id, VpcId: new("vpc-1"), ServiceName: new("com.amazonaws.us-east-1." + service),
			VpcEndpointType: ec2.VpcEndpointTypeInterface, PrivateDnsEnabled: &private, State: state,
		}}
	}
	gateway := endpoint("vpce-s3", "s3", false, plan.EndpointAvailable)
	gateway.Endpoint.VpcEndpointType = ec2.VpcEndpointTypeGateway
	endpoints := []*record.EC2VPCEndpoint{
		endpoint("vpce-dkr", "ecr.dkr", true, plan.EndpointAvailable), endpoint("vpce-api", "ecr.api", true, plan.EndpointAvailable),
		endpoint("vpce-logs", "logs", false, plan.EndpointAvailable), endpoint("vpce-ssm", "ssm", true, plan.EndpointPending), gateway,
	}
	i := &desired.Interface{VPC: "vpc-1", Address: netip.MustParseAddr("10.0.0.5")}
	for _, test := range []struct{ service, region, want string }{
		{"ecr.dkr", "us-east-1", "vpce-dkr"},
		{"ecr.api", "us-east-1", "vpce-api"},
		{"ecr.api", "eu-west-1", "vpc-1"},
		{"secretsmanager", "us-east-1", "vpc-1"},
		{"logs", "us-east-1", "vpc-1"}, // without private DNS
		{"ssm", "us-east-1", "vpc-1"},  // not yet available
		{"s3", "us-east-1", "vpc-1"},   // the routes of the subnet decide
	} {
		got := plan.SentFrom(slices.Values(endpoints), i, test.service, test.region)
		if want := (desired.Origin{At: test.want, Client: i.Address, Secure: true}); *got != want {
			t.Errorf("%s in %s comes from %+v", test.service, test.region, *got)
		}
	}
}
