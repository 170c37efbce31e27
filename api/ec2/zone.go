package ec2

import (
	"context"
	"slices"
	"strings"

	"fargo/api"
	"fargo/aws"
	"fargo/aws/ec2"
)

// zoneLetters are the availability zones of every region here.
var zoneLetters = []string{"a", "b", "c"}

// zoneID shortens a region's name as AWS's zone ids do: us-east-1 is use1.
func zoneID(region string, n int) string {
	short := ""
	for i, part := range strings.Split(region, "-") {
		if i == 0 {
			short += part
		} else {
			short += abbreviation(part)
		}
	}
	return short + "-az" + string(rune('1'+n))
}

func abbreviation(part string) string {
	switch part {
	case "northeast":
		return "ne"
	case "northwest":
		return "nw"
	case "southeast":
		return "se"
	case "southwest":
		return "sw"
	case "":
		return ""
	}
	if part[0] >= '0' && part[0] <= '9' {
		return part
	}
	return part[:1]
}

// zones are the availability zones of a region.
func zones(region string) []ec2.AvailabilityZone {
	var out []ec2.AvailabilityZone
	for i, letter := range zoneLetters {
		out = append(out, ec2.AvailabilityZone{
			OptInStatus: ec2.AvailabilityZoneOptInStatusOptInNotRequired, Messages: []ec2.AvailabilityZoneMessage{},
			RegionName: &region, ZoneName: new(region + letter), ZoneId: new(zoneID(region, i)),
			GroupName: new(region + "-zg-1"), NetworkBorderGroup: &region, ZoneType: new("availability-zone"),
			State: ec2.AvailabilityZoneStateAvailable,
		})
	}
	return out
}

var zoneFields = fields[ec2.AvailabilityZone]{
	names: map[string]func(ec2.AvailabilityZone) []string{
		"zone-name":            one(func(z ec2.AvailabilityZone) *string { return z.ZoneName }),
		"zone-id":              one(func(z ec2.AvailabilityZone) *string { return z.ZoneId }),
		"zone-type":            one(func(z ec2.AvailabilityZone) *string { return z.ZoneType }),
		"region-name":          one(func(z ec2.AvailabilityZone) *string { return z.RegionName }),
		"group-name":           one(func(z ec2.AvailabilityZone) *string { return z.GroupName }),
		"network-border-group": one(func(z ec2.AvailabilityZone) *string { return z.NetworkBorderGroup }),
		"state":                func(z ec2.AvailabilityZone) []string { return []string{string(z.State)} },
		"opt-in-status":        func(z ec2.AvailabilityZone) []string { return []string{string(z.OptInStatus)} },
	},
	tags: func(ec2.AvailabilityZone) []ec2.Tag { return nil },
}

// DescribeAvailabilityZones shows the three zones of the call's region.
func (s *Server) DescribeAvailabilityZones(ctx context.Context, in *ec2.DescribeAvailabilityZonesInput) (*ec2.DescribeAvailabilityZonesOutput, error) {
	all := zones(api.CallFrom(ctx).Region)
	key := func(z ec2.AvailabilityZone) string { return *z.ZoneName }
	ids := in.ZoneNames
	if len(in.ZoneIds) > 0 {
		key, ids = func(z ec2.AvailabilityZone) string { return *z.ZoneId }, in.ZoneIds
	}
	out, _, err := describe(slices.Values(all), query{ids: ids, filters: in.Filters}, zoneFields, key,
		func(id string) error { return badValue("Invalid availability zone: [%s]", id) })
	return &ec2.DescribeAvailabilityZonesOutput{AvailabilityZones: aws.List(out)}, err
}

// regions are those that AWS opens to every account. Any region works here: it
// is a name.
var regions = []string{
	"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
	"ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1",
	"us-east-1", "us-east-2", "us-west-1", "us-west-2",
}

var regionFields = fields[ec2.Region]{
	names: map[string]func(ec2.Region) []string{
		"region-name":   one(func(r ec2.Region) *string { return r.RegionName }),
		"endpoint":      one(func(r ec2.Region) *string { return r.Endpoint }),
		"opt-in-status": one(func(r ec2.Region) *string { return r.OptInStatus }),
	},
	tags: func(ec2.Region) []ec2.Tag { return nil },
}

// DescribeRegions shows the regions.
func (s *Server) DescribeRegions(_ context.Context, in *ec2.DescribeRegionsInput) (*ec2.DescribeRegionsOutput, error) {
	var all []ec2.Region
	for _, name := range regions {
		all = append(all, ec2.Region{RegionName: &name, Endpoint: new("ec2." + name + ".amazonaws.com"), OptInStatus: new("opt-in-not-required")})
	}
	out, _, err := describe(slices.Values(all), query{ids: in.RegionNames, filters: in.Filters}, regionFields,
		func(r ec2.Region) string { return *r.RegionName },
		func(id string) error { return badValue("Invalid region names: [%s]", id) })
	return &ec2.DescribeRegionsOutput{Regions: aws.List(out)}, err
}

// DescribeAccountAttributes tells that the account has VPCs only.
func (s *Server) DescribeAccountAttributes(ctx context.Context, in *ec2.DescribeAccountAttributesInput) (*ec2.DescribeAccountAttributesOutput, error) {
	def := "none"
	if v := defaultVPC(s.db.View(), api.CallFrom(ctx).Scope()); v != nil {
		def = *v.VPC.VpcId
	}
	out := &ec2.DescribeAccountAttributesOutput{AccountAttributes: []ec2.AccountAttribute{}}
	for _, a := range []struct{ name, value string }{
		{"supported-platforms", "VPC"},
		{"default-vpc", def},
		{"max-instances", "0"},
		{"vpc-max-security-groups-per-interface", "5"},
		{"max-elastic-ips", "0"},
		{"vpc-max-elastic-ips", "0"},
	} {
		if len(in.AttributeNames) > 0 && !slices.Contains(in.AttributeNames, ec2.AccountAttributeName(a.name)) {
			continue
		}
		out.AccountAttributes = append(out.AccountAttributes, ec2.AccountAttribute{
			AttributeName: new(a.name), AttributeValues: []ec2.AccountAttributeValue{{AttributeValue: new(a.value)}},
		})
	}
	return out, nil
}
