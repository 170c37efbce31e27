package plan

import (
	"slices"

	"fargo/record"
)

// peerOver is the VPC that an active peering connection of the VPC leads to, "" when
// the connection is not of the VPC or not active.
func peerOver(v NetworkView, vpc, connection string) string {
	if p := peeringOf(v, connection); p != nil {
		return p.Peer(vpc)
	}
	return ""
}

// peers are the VPCs that active peering connections of the VPC lead to.
func peers(v NetworkView, vpc string) (out []string) {
	for _, p := range v.Peerings {
		if peer := p.Peer(vpc); peer != "" {
			out = append(out, peer)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// active reports whether traffic may pass a peering connection.
func active(v NetworkView, connection string) bool {
	p := peeringOf(v, connection)
	return p != nil && p.Active()
}

// peeringOf is a connection of the view, nil when it has none of that id.
func peeringOf(v NetworkView, id string) *record.EC2Peering {
	for _, p := range v.Peerings {
		if *p.Connection.VpcPeeringConnectionId == id {
			return p
		}
	}
	return nil
}
