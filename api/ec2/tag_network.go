package ec2

import (
	"iter"

	"fargo"
	"fargo/api/tags"
	"fargo/aws/ec2"
	"fargo/store"
)

// taggableACLs are the network ACLs. A default one that gets tags is kept from then on.
func taggableACLs(r store.Reader, scope fargo.Scope) iter.Seq[taggable] {
	return func(yield func(taggable) bool) {
		for v := range store.EC2VPCs.Prefix(r, scope.Key()) {
			for _, a := range aclsOf(r, v) {
				put := func(tx *store.Tx, tags []ec2.Tag) error {
					changed := *a
					changed.ACL.Tags = tags
					store.EC2NetworkACLs.Put(tx, &changed)
					return nil
				}
				if !yield(taggable{*a.ACL.NetworkAclId, ec2.ResourceTypeNetworkAcl, &tags.Resource[ec2.Tag]{Tags: a.ACL.Tags, Put: put}}) {
					return
				}
			}
		}
	}
}

// taggableDHCPOptions are the sets of DHCP options. The one that VPCs begin with is kept
// once it gets tags.
func taggableDHCPOptions(r store.Reader, scope fargo.Scope) iter.Seq[taggable] {
	return func(yield func(taggable) bool) {
		for _, o := range allDHCPOptions(r, scope) {
			put := func(tx *store.Tx, tags []ec2.Tag) error {
				changed := *o
				changed.Options.Tags = tags
				store.EC2DHCPOptions.Put(tx, &changed)
				return nil
			}
			if !yield(taggable{*o.Options.DhcpOptionsId, ec2.ResourceTypeDhcpOptions, &tags.Resource[ec2.Tag]{Tags: o.Options.Tags, Put: put}}) {
				return
			}
		}
	}
}

// taggablePeerings are the connections of VPCs in a scope. Each side has tags of its own.
func taggablePeerings(r store.Reader, scope fargo.Scope) iter.Seq[taggable] {
	return func(yield func(taggable) bool) {
		for p := range store.EC2Peerings.All(r) {
			if scope != p.Scope && scope != p.Accepter() {
				continue
			}
			put := func(tx *store.Tx, tags []ec2.Tag) error {
				changed := *p
				*peeringTags(&changed, scope) = tags
				store.EC2Peerings.Put(tx, &changed)
				return nil
			}
			if !yield(taggable{*p.Connection.VpcPeeringConnectionId, ec2.ResourceTypeVpcPeeringConnection, &tags.Resource[ec2.Tag]{Tags: *peeringTags(p, scope), Put: put}}) {
				return
			}
		}
	}
}
