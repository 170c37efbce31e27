package ec2

import (
	"context"
	"slices"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/store"
)

// regions are AWS's, with their names for people; optIn are those that an account has
// to enable. Any region works here: it is a name. One that must be enabled is so by
// being used. Source: AWS account management reference, "Enable or disable AWS
// Regions".
var regions = []struct {
	name, long string
	optIn      bool
}{
	{"af-south-1", "Africa (Cape Town)", true},
	{"ap-east-1", "Asia Pacific (Hong Kong)", true},
	{"ap-east-2", "Asia Pacific (Taipei)", true},
	{"ap-northeast-1", "Asia Pacific (Tokyo)", false},
	{"ap-northeast-2", "Asia Pacific (Seoul)", false},
	{"ap-northeast-3", "Asia Pacific (Osaka)", false},
	{"ap-south-1", "Asia Pacific (Mumbai)", false},
	{"ap-south-2", "Asia Pacific (Hyderabad)", true},
	{"ap-southeast-1", "Asia Pacific (Singapore)", false},
	{"ap-southeast-2", "Asia Pacific (Sydney)", false},
	{"ap-southeast-3", "Asia Pacific (Jakarta)", true},
	{"ap-southeast-4", "Asia Pacific (Melbourne)", true},
	{"ap-southeast-5", "Asia Pacific (Malaysia)", true},
	{"ap-southeast-6", "Asia Pacific (New Zealand)", true},
	{"ap-southeast-7", "Asia Pacific (Thailand)", true},
	{"ca-central-1", "Canada (Central)", false},
	{"ca-west-1", "Canada West (Calgary)", true},
	{"eu-central-1", "Europe (Frankfurt)", false},
	{"eu-central-2", "Europe (Zurich)", true},
	{"eu-north-1", "Europe (Stockholm)", false},
	{"eu-south-1", "Europe (Milan)", true},
	{"eu-south-2", "Europe (Spain)", true},
	{"eu-west-1", "Europe (Ireland)", false},
	{"eu-west-2", "Europe (London)", false},
	{"eu-west-3", "Europe (Paris)", false},
	{"il-central-1", "Israel (Tel Aviv)", true},
	{"me-central-1", "Middle East (UAE)", true},
	{"me-south-1", "Middle East (Bahrain)", true},
	{"mx-central-1", "Mexico (Central)", true},
	{"sa-east-1", "South America (Sao Paulo)", false},
	{"us-east-1", "US East (N. Virginia)", false},
	{"us-east-2", "US East (Ohio)", false},
	{"us-west-1", "US West (N. California)", false},
	{"us-west-2", "US West (Oregon)", false},
}

// groupLongName is the name for people of a region's one group of zones.
func groupLongName(region string) *string {
	for _, r := range regions {
		if r.name == region {
			return new(r.long + " 1")
		}
	}
	return nil
}

var regionFields = fields[ec2.Region]{
	operation: "DescribeRegions",
	names: map[string]func(ec2.Region) []string{
		"region-name":   one(func(r ec2.Region) *string { return r.RegionName }),
		"endpoint":      one(func(r ec2.Region) *string { return r.Endpoint }),
		"opt-in-status": one(func(r ec2.Region) *string { return r.OptInStatus }),
	},
}

// The statuses of regions, which are no enum in the model.
const (
	optInNotRequired = "opt-in-not-required"
	optedIn          = "opted-in"
	notOptedIn       = "not-opted-in"
)

// DescribeRegions shows the regions that are enabled, or all, or those that are named.
func (s *Server) DescribeRegions(ctx context.Context, in *ec2.DescribeRegionsInput) (*ec2.DescribeRegionsOutput, error) {
	view, account := s.db.View(), api.CallFrom(ctx).Account
	var all []ec2.Region
	for _, r := range regions {
		status := optInNotRequired
		if r.optIn {
			status = notOptedIn
			if _, used := store.EC2Regions.Get(view, fargo.Scope{Account: account, Region: r.name}.Key()); used {
				status = optedIn
			}
		}
		if status == notOptedIn && !aws.Value(in.AllRegions) && !slices.Contains(in.RegionNames, r.name) {
			continue
		}
		all = append(all, ec2.Region{RegionName: &r.name, Endpoint: new("ec2." + r.name + ".amazonaws.com"), OptInStatus: &status})
	}
	out, _, err := describe(slices.Values(all), query{ids: in.RegionNames, filters: in.Filters}, regionFields,
		func(r ec2.Region) string { return *r.RegionName },
		func(id string) error { return badValue("Invalid region names: [%s]", id) })
	return &ec2.DescribeRegionsOutput{Regions: aws.List(out)}, err
}
