package record

import (
	"time"

	"fargo"
	"fargo/aws/ec2"
)

// EC2Address is an Elastic IP address. What it is associated with is in Address; the
// interface shows the same in its Association.
type EC2Address struct {
	Scope   fargo.Scope
	Address ec2.Address
	// PTR is the name that its reverse record is to have, with the final dot; empty for
	// none.
	PTR string `json:",omitzero"`
}

// Key is the address's place in the store.
func (a *EC2Address) Key() string { return a.Scope.Key(*a.Address.AllocationId) }

// EC2NATGateway is a NAT gateway. Each of its addresses has a network interface.
type EC2NATGateway struct {
	Scope   fargo.Scope
	Gateway ec2.NatGateway
	EC2Request
}

// Key is the gateway's place in the store.
func (g *EC2NATGateway) Key() string { return g.Scope.Key(*g.Gateway.NatGatewayId) }

// EC2EgressOnlyGateway is an egress-only Internet gateway and its attachment.
type EC2EgressOnlyGateway struct {
	Scope   fargo.Scope
	Gateway ec2.EgressOnlyInternetGateway
	EC2Request
}

// Key is the gateway's place in the store.
func (g *EC2EgressOnlyGateway) Key() string {
	return g.Scope.Key(*g.Gateway.EgressOnlyInternetGatewayId)
}

// EC2Peering is a connection between two VPCs. It is in the scope of the VPC that asked
// for it; that of the other is in Connection. The address ranges in it are not kept, and
// a request that was not accepted in time has still the state of one that may be.
type EC2Peering struct {
	Scope      fargo.Scope
	Connection ec2.VpcPeeringConnection
	// AccepterTags are those of the other side, when it is another account or region:
	// each sees its own.
	AccepterTags []ec2.Tag `json:",omitzero"`
	// EndedAt is when the connection was deleted, rejected or failed.
	EndedAt time.Time `json:",omitzero"`
}

// Accepter is the scope of the VPC that was asked.
func (p *EC2Peering) Accepter() fargo.Scope {
	i := p.Connection.AccepterVpcInfo
	return fargo.Scope{Account: *i.OwnerId, Region: *i.Region}
}

// Active reports whether packets may pass.
func (p *EC2Peering) Active() bool {
	return p.Connection.Status.Code == ec2.VpcPeeringConnectionStateReasonCodeActive
}

// Other is the VPC at the other end from vpc.
func (p *EC2Peering) Other(vpc string) string {
	if requester := *p.Connection.RequesterVpcInfo.VpcId; requester != vpc {
		return requester
	}
	return *p.Connection.AccepterVpcInfo.VpcId
}

// Peer is the VPC at the other end from vpc while packets may pass; "" otherwise, and when
// the connection is not of vpc.
func (p *EC2Peering) Peer(vpc string) string {
	other := p.Other(vpc)
	if !p.Active() || p.Other(other) != vpc {
		return ""
	}
	return other
}

// Key is the connection's place in the store.
func (p *EC2Peering) Key() string { return p.Scope.Key(*p.Connection.VpcPeeringConnectionId) }
