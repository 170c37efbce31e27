package main

import (
	"net/netip"
	"strings"
	"testing"

	"fargo"
	"fargo/aws/ec2"
	"fargo/record"
	"fargo/store"
)

// A range that could not work is refused before anything is made, in words that help.
func TestCheckPublicRange(t *testing.T) {
	for given, want := range map[string]string{
		"2001:db8::/32":  "IPv4",
		"203.0.113.7/24": "the range is 203.0.113.0/24",
		"128.0.0.0/7":    "from 8 to 28",
		"203.0.113.0/29": "from 8 to 28",
		"127.0.0.0/24":   "no interface can have an address of 127.0.0.0/8",
		"224.0.0.0/8":    "no interface can have an address of 224.0.0.0/4",
		"169.254.1.0/24": "no interface can have an address of 169.254.0.0/16",
	} {
		err := checkPublicRange(netip.MustParsePrefix(given))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "--public-range "+given) {
			t.Errorf("%s: %v", given, err)
		}
	}
	if err := checkPublicRange(netip.MustParsePrefix("240.1.16.0/20")); err != nil {
		t.Error(err)
	}
}

// What has an address keeps it: it is not started with a range without it.
func TestCheckPublicState(t *testing.T) {
	ours, other := netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("198.51.100.0/24")
	address := ec2.Address{AllocationId: new("eipalloc-1"), PublicIp: new("203.0.113.9")}
	shown := ec2.NetworkInterface{
		NetworkInterfaceId: new("eni-1"), VpcId: new("vpc-1"), SubnetId: new("subnet-1"), PrivateIpAddress: new("10.0.0.9"),
		Association: &ec2.NetworkInterfaceAssociation{PublicIp: new("203.0.113.10")},
	}
	vpc := ec2.Vpc{VpcId: new("vpc-1"), CidrBlockAssociationSet: []ec2.VpcCidrBlockAssociation{{
		CidrBlock: new("198.51.0.0/16"), CidrBlockState: &ec2.VpcCidrBlockState{State: ec2.VpcCidrBlockStateCodeAssociated},
	}}}
	scope := fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}
	for want, put := range map[string]func(*store.Tx){
		"198.51.0.0/16, a block of vpc-1": func(tx *store.Tx) { store.EC2VPCs.Put(tx, &record.EC2VPC{Scope: scope, VPC: vpc}) },
		"203.0.113.9 (eipalloc-1)":        func(tx *store.Tx) { store.EC2Addresses.Put(tx, &record.EC2Address{Scope: scope, Address: address}) },
		"203.0.113.10 of eni-1": func(tx *store.Tx) {
			store.EC2NetworkInterfaces.Put(tx, &record.EC2NetworkInterface{Scope: scope, Interface: shown})
		},
	} {
		db, err := store.Open(t.Context(), store.NewMemory())
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Update(t.Context(), func(tx *store.Tx) error { put(tx); return nil }); err != nil {
			t.Fatal(err)
		}
		if err := checkPublicState(db.View(), ours); err != nil {
			t.Errorf("%s: %v", want, err)
		}
		if err := checkPublicState(db.View(), other); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}
