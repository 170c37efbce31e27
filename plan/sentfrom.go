package plan

import (
	"iter"

	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/desired"
	"fargo/record"
)

// SentFrom is where in its VPC a request comes from that Fargate sends for a task: by an
// interface endpoint of the service, by our name of it ("ecr.dkr"), in its region, if the
// VPC has one whose private DNS is on; or else by the VPC's own way. endpoints are the
// VPC's.
// Source: ECS developer guide, "Fargate task networking": since platform version 1.4.0 all
// of a task's traffic goes by its interface.
func SentFrom(endpoints iter.Seq[*record.EC2VPCEndpoint], i *desired.Interface, service, region string) *desired.Origin {
	from := &desired.Origin{At: i.VPC, Client: i.Address, Secure: true}
	for e := range endpoints {
		s := EndpointServiceNamed(*e.Endpoint.ServiceName, region)
		if s != nil && s.Name == service && available(e) &&
			e.Endpoint.VpcEndpointType == ec2.VpcEndpointTypeInterface && aws.Value(e.Endpoint.PrivateDnsEnabled) {
			from.At = *e.Endpoint.VpcEndpointId
		}
	}
	return from
}
