package record

import (
	"fargo"
	"fargo/aws/ec2"
)

// EC2NetworkACL is a network access control list with its entries and associations. A
// VPC's default list has a record only once it has been changed, see
// plan.DefaultACL; a subnet that no record names is in the default list.
type EC2NetworkACL struct {
	Scope fargo.Scope
	ACL   ec2.NetworkAcl
	EC2Request
}

// Key is the list's place in the store.
func (a *EC2NetworkACL) Key() string { return a.Scope.Key(*a.ACL.NetworkAclId) }

// EC2DHCPOptions is a set of DHCP options.
type EC2DHCPOptions struct {
	Scope   fargo.Scope
	Options ec2.DhcpOptions
}

// Key is the set's place in the store.
func (o *EC2DHCPOptions) Key() string { return o.Scope.Key(*o.Options.DhcpOptionsId) }
