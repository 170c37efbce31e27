package record

import (
	"fargo"
	"fargo/aws/ec2"
	"fargo/desired"
)

// EC2VPCEndpoint is an endpoint of a service in a VPC.
type EC2VPCEndpoint struct {
	Scope    fargo.Scope
	Endpoint ec2.VpcEndpoint
	EC2Request
	// Interfaces are those of an interface endpoint, one for each subnet.
	Interfaces []desired.Interface `json:",omitzero"`
	// Nodes says which node each interface is on, by its id; the endpoint controller
	// writes it.
	Nodes map[string]string `json:",omitzero"`
}

// Key is the endpoint's place in the store.
func (e *EC2VPCEndpoint) Key() string { return e.Scope.Key(*e.Endpoint.VpcEndpointId) }

// EC2PrefixList is a customer's managed prefix list with all its versions.
type EC2PrefixList struct {
	Scope fargo.Scope
	List  ec2.ManagedPrefixList
	EC2Request
	// Versions are the entries of each version, from version 1.
	Versions [][]ec2.PrefixListEntry
}

// Key is the list's place in the store.
func (l *EC2PrefixList) Key() string { return l.Scope.Key(*l.List.PrefixListId) }

// Entries are those of the newest version.
func (l *EC2PrefixList) Entries() []ec2.PrefixListEntry { return l.Versions[len(l.Versions)-1] }
