package plan

import (
	_ "embed"
	"slices"
	"strings"

	"fargo"
	"fargo/aws/ec2"
	"fargo/record"
)

// AWSOwner is who owns AWS's prefix lists.
const AWSOwner = "AWS"

//go:embed prefixlist.txt
var prefixListText string

// awsPrefixLists are AWS's lists by region. They are shared: nobody changes them.
var awsPrefixLists = parsePrefixLists(prefixListText)

func parsePrefixLists(text string) map[string][]*record.EC2PrefixList {
	lists := map[string][]*record.EC2PrefixList{}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 3 || words[0] == "#" {
			continue
		}
		region, id, name := words[0], words[1], words[2]
		entries := make([]ec2.PrefixListEntry, 0, len(words)-3)
		for _, block := range words[3:] {
			entries = append(entries, ec2.PrefixListEntry{Cidr: &block})
		}
		lists[region] = append(lists[region], &record.EC2PrefixList{
			Scope: fargo.Scope{Account: "aws", Region: region},
			List: ec2.ManagedPrefixList{
				PrefixListId: &id, PrefixListName: &name, OwnerId: new(AWSOwner), AddressFamily: new("IPv4"),
				PrefixListArn: new(fargo.Scope{Account: "aws", Region: region}.ARN("ec2", "prefix-list/"+id)),
				State:         ec2.PrefixListStateCreateComplete, Tags: []ec2.Tag{},
			},
			Versions: [][]ec2.PrefixListEntry{entries},
		})
	}
	return lists
}

// AWSPrefixLists are AWS's own prefix lists in a region, sorted by name; none in a
// region whose ids nobody has published. They are in every account.
func AWSPrefixLists(region string) []*record.EC2PrefixList {
	return slices.Clone(awsPrefixLists[region])
}

// ServicePrefixList is the list of the addresses of a service with gateway endpoints
// ("s3"); nil where it is not known.
func ServicePrefixList(service, region string) *record.EC2PrefixList {
	for _, l := range awsPrefixLists[region] {
		if *l.List.PrefixListName == "com.amazonaws."+region+"."+service {
			return l
		}
	}
	return nil
}

// PrefixListWeight is how many entries a reference to a list counts for among the rules
// of a security group or the routes of a table, however many it has.
// Source: VPC user guide, "AWS-managed prefix list weight" and "Prefix lists concepts".
func PrefixListWeight(l *record.EC2PrefixList) int {
	switch {
	case l.List.MaxEntries != nil:
		return int(*l.List.MaxEntries)
	case strings.HasSuffix(*l.List.PrefixListName, ".cloudfront.origin-facing"):
		return 55
	}
	return 1
}
