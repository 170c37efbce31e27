package ec2

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"fargo/api"
	"fargo/aws"
	"fargo/aws/ec2"
)

// zoneLetters are the availability zones of every region here.
var zoneLetters = []string{"a", "b", "c"}

// zoneNumbers are what the letters stand for where they do not count up. AWS chooses
// that for each account; these are of the account whose answers were recorded.
var zoneNumbers = map[string][]int{"us-east-1": {6, 1, 2}}

func zoneNumber(region string, letter int) int {
	if numbers, ok := zoneNumbers[region]; ok {
		return numbers[letter]
	}
	return letter + 1
}

// zoneIDOf is the id of a zone by its name, nil when the region has no such zone.
func zoneIDOf(region, name string) *string {
	for _, z := range zones(region) {
		if *z.ZoneName == name {
			return z.ZoneId
		}
	}
	return nil
}

// zoneID shortens a region's name as AWS's zone ids do: us-east-1 is use1.
func zoneID(region string, number int) string {
	short := ""
	for i, part := range strings.Split(region, "-") {
		if i == 0 {
			short += part
		} else {
			short += abbreviation(part)
		}
	}
	return short + "-az" + strconv.Itoa(number)
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
			RegionName: &region, ZoneName: new(region + letter), ZoneId: new(zoneID(region, zoneNumber(region, i))),
			GroupName: new(region + "-zg-1"), NetworkBorderGroup: &region, ZoneType: new("availability-zone"),
			GroupLongName: groupLongName(region), State: ec2.AvailabilityZoneStateAvailable,
		})
	}
	return out
}

var zoneFields = fields[ec2.AvailabilityZone]{
	operation: "DescribeAvailabilityZones",
	names: map[string]func(ec2.AvailabilityZone) []string{
		"zone-name":            one(func(z ec2.AvailabilityZone) *string { return z.ZoneName }),
		"zone-id":              one(func(z ec2.AvailabilityZone) *string { return z.ZoneId }),
		"zone-type":            one(func(z ec2.AvailabilityZone) *string { return z.ZoneType }),
		"region-name":          one(func(z ec2.AvailabilityZone) *string { return z.RegionName }),
		"group-long-name":      one(func(z ec2.AvailabilityZone) *string { return z.GroupLongName }),
		"group-name":           one(func(z ec2.AvailabilityZone) *string { return z.GroupName }),
		"network-border-group": one(func(z ec2.AvailabilityZone) *string { return z.NetworkBorderGroup }),
		"state":                func(z ec2.AvailabilityZone) []string { return []string{string(z.State)} },
		"opt-in-status":        func(z ec2.AvailabilityZone) []string { return []string{string(z.OptInStatus)} },
	},
	absent: []string{"message", "parent-zone-id", "parent-zone-name"},
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
		{"max-elastic-ips", strconv.Itoa(s.elasticIPs)},
		{"vpc-max-elastic-ips", strconv.Itoa(s.elasticIPs)},
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
