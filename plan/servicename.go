package plan

import (
	"slices"
	"strings"
)

// fipsRegions are those in which all services of [EndpointServices] have FIPS endpoints.
// Source: botocore, endpoints.json.
var fipsRegions = []string{"us-east-1", "us-east-2", "us-west-1", "us-west-2"}

// ServiceNames are the names by which clients look for services of AWS in a region, as
// far as Fargo serves them: in order, and those without a region with the others of
// [GlobalRegion].
func ServiceNames(region string) []string {
	return namesOfAll(region, func(s *EndpointService) bool { return s.API != "" })
}

// namesOf are those of [ServiceNames] that one API has.
func namesOf(api, region string) []string {
	return namesOfAll(region, func(s *EndpointService) bool { return s.API == api })
}

func namesOfAll(region string, of func(*EndpointService) bool) (names []string) {
	add := func(all []string) {
		for _, n := range all {
			names = append(names, strings.ReplaceAll(n, "{region}", region))
		}
	}
	for i := range EndpointServices {
		s := &EndpointServices[i]
		switch {
		case !of(s):
			continue
		case !s.Global:
			add(s.Names)
			add(s.Aliases)
		case region == GlobalRegion:
			add(s.Names)
		}
		if slices.Contains(fipsRegions, region) {
			add(s.FIPS)
		}
		if region == GlobalRegion {
			add(s.Regionless)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// CertificateNames are the names that the certificate of Fargo's APIs in a region is
// for: those of [ServiceNames], and those that every interface endpoint there has.
func CertificateNames(region string) []string {
	names := ServiceNames(region)
	for _, s := range EndpointServices {
		if _, ok := s.ServiceName(region); ok && !s.Gateway && s.API != "" {
			names = append(names, "*."+s.label()+"."+region+".vpce.amazonaws.com")
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// label is what names of an endpoint have in front of the region: the service's name
// back to front, "api.ecr" of "ecr.api".
func (s *EndpointService) label() string {
	parts := strings.Split(s.Name, ".")
	slices.Reverse(parts)
	return strings.Join(parts, ".")
}
