package plan_test

import (
	"net/netip"
	"testing"

	"fargo/plan"
)

// AWS's lists have what names them, in blocks that are written as AWS writes them, and
// no id twice in a region.
func TestAWSPrefixLists(t *testing.T) {
	for _, region := range []string{"us-east-1", "eu-central-1", "ap-south-1"} {
		ids := map[string]bool{}
		for _, l := range plan.AWSPrefixLists(region) {
			if ids[*l.List.PrefixListId] {
				t.Errorf("%s has %s twice", region, *l.List.PrefixListId)
			}
			ids[*l.List.PrefixListId] = true
			if len(l.Entries()) == 0 {
				t.Errorf("%s: %s is empty", region, *l.List.PrefixListName)
			}
			for _, e := range l.Entries() {
				if p, err := netip.ParsePrefix(*e.Cidr); err != nil || p != p.Masked() || !p.Addr().Is4() {
					t.Errorf("%s: %s has %s", region, *l.List.PrefixListName, *e.Cidr)
				}
			}
		}
	}
	if id := *plan.ServicePrefixList("s3", "us-east-1").List.PrefixListId; id != "pl-63a5400a" {
		t.Errorf("S3 in us-east-1: %s", id)
	}
	if l := plan.ServicePrefixList("s3", "local-1"); l != nil {
		t.Errorf("S3 in a region that AWS does not have: %v", *l.List.PrefixListId)
	}
	// Source: VPC user guide, "AWS-managed prefix list weight".
	for _, l := range plan.AWSPrefixLists("us-east-1") {
		want := 1
		if *l.List.PrefixListName == "com.amazonaws.global.cloudfront.origin-facing" {
			want = 55
		}
		if got := plan.PrefixListWeight(l); got != want {
			t.Errorf("the weight of %s is %d, want %d", *l.List.PrefixListName, got, want)
		}
	}
}
