package ec2

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"fargo/api"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/plan"
)

var endpointServiceFields = fields[ec2.ServiceDetail]{
	operation: "DescribeVpcEndpointServices",
	names: map[string]func(ec2.ServiceDetail) []string{
		"owner":          one(func(d ec2.ServiceDetail) *string { return d.Owner }),
		"service-name":   one(func(d ec2.ServiceDetail) *string { return d.ServiceName }),
		"service-region": one(func(d ec2.ServiceDetail) *string { return d.ServiceRegion }),
		"service-type":   each(func(d ec2.ServiceDetail) []ec2.ServiceTypeDetail { return d.ServiceType }, func(t ec2.ServiceTypeDetail) *string { return new(string(t.ServiceType)) }),
		"supported-ip-address-types": each(func(d ec2.ServiceDetail) []ec2.ServiceConnectivityType { return d.SupportedIpAddressTypes },
			func(t ec2.ServiceConnectivityType) *string { return new(string(t)) }),
	},
	tags: func(d ec2.ServiceDetail) []ec2.Tag { return d.Tags },
}

// endpointServices are the services that endpoints can be made for in a region, sorted by
// name.
func endpointServices(region string) []ec2.ServiceDetail {
	var all []ec2.ServiceDetail
	for i := range plan.EndpointServices {
		s := &plan.EndpointServices[i]
		name, ok := s.ServiceName(region)
		if !ok || s.Gateway && plan.ServicePrefixList(s.Name, region) == nil {
			continue
		}
		all = append(all, endpointServiceView(s, name, region))
	}
	slices.SortFunc(all, func(a, b ec2.ServiceDetail) int { return strings.Compare(*a.ServiceName, *b.ServiceName) })
	return all
}

func endpointServiceView(s *plan.EndpointService, name, region string) ec2.ServiceDetail {
	d := ec2.ServiceDetail{
		ServiceName: &name, ServiceId: new(serviceID(name)), ServiceRegion: &region, Owner: new("amazon"),
		AcceptanceRequired: new(false), ManagesVpcEndpoints: new(false), VpcEndpointPolicySupported: new(true), Tags: []ec2.Tag{},
		SupportedIpAddressTypes: []ec2.ServiceConnectivityType{ec2.ServiceConnectivityTypeIpv4, ec2.ServiceConnectivityTypeIpv6},
		ServiceType:             []ec2.ServiceTypeDetail{{ServiceType: ec2.ServiceTypeInterface}},
	}
	for _, z := range zones(region) {
		d.AvailabilityZones = append(d.AvailabilityZones, *z.ZoneName)
		d.AvailabilityZoneIds = append(d.AvailabilityZoneIds, *z.ZoneId)
	}
	if s.Gateway {
		d.ServiceType[0].ServiceType = ec2.ServiceTypeGateway
		d.SupportedIpAddressTypes = []ec2.ServiceConnectivityType{ec2.ServiceConnectivityTypeIpv4}
		d.BaseEndpointDnsNames = []string{s.Name + "." + region + ".amazonaws.com"}
		return d
	}
	names := s.NamesIn(region)
	d.BaseEndpointDnsNames = []string{endpointDomain(names[0])}
	d.PrivateDnsName, d.PrivateDnsNameVerificationState = &names[0], ec2.DnsNameStateVerified
	for _, n := range names {
		d.PrivateDnsNames = append(d.PrivateDnsNames, ec2.PrivateDnsDetails{PrivateDnsName: &n})
	}
	return d
}

// serviceID is the id of a service, which follows from its name.
func serviceID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "vpce-svc-" + hex.EncodeToString(sum[:])[:17]
}

// DescribeVpcEndpointServices shows the services that endpoints can be made for.
func (s *Server) DescribeVpcEndpointServices(ctx context.Context, in *ec2.DescribeVpcEndpointServicesInput) (*ec2.DescribeVpcEndpointServicesOutput, error) {
	region := api.CallFrom(ctx).Region
	all := endpointServices(region)
	if len(in.ServiceRegions) > 0 && !slices.Contains(in.ServiceRegions, region) {
		all = nil
	}
	found, next, err := describe(slices.Values(all), query{in.ServiceNames, in.Filters, pages.Ask(in, in.NextToken, in.MaxResults)}, endpointServiceFields,
		func(d ec2.ServiceDetail) string { return *d.ServiceName }, noEndpointService)
	out := &ec2.DescribeVpcEndpointServicesOutput{ServiceDetails: aws.List(found), ServiceNames: []string{}, NextToken: next}
	for _, d := range found {
		out.ServiceNames = append(out.ServiceNames, *d.ServiceName)
	}
	return out, err
}
