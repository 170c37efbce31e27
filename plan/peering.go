package plan

import (
	"slices"

	"fargo/aws/ec2"
	"fargo/record"
)

// peerOver is the VPC that an active peering connection of the VPC leads to, "" when
// the connection is not of the VPC or not active.
func peerOver(v NetworkView, vpc, connection string) string {
	for _, p := range v.Peerings {
		if *p.Connection.VpcPeeringConnectionId == connection {
			return otherEnd(p, vpc)
		}
	}
	return ""
}

// peers are the VPCs that active peering connections of the VPC lead to.
func peers(v NetworkView, vpc string) (out []string) {
	for _, p := range v.Peerings {
		if peer := otherEnd(p, vpc); peer != "" {
			out = append(out, peer)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// active reports whether traffic may pass a peering connection.
func active(v NetworkView, connection string) bool {
	return slices.ContainsFunc(v.Peerings, func(p *record.EC2Peering) bool {
		return *p.Connection.VpcPeeringConnectionId == connection && isActive(p)
	})
}

func isActive(p *record.EC2Peering) bool {
	return p.Connection.Status != nil && p.Connection.Status.Code == ec2.VpcPeeringConnectionStateReasonCodeActive
}

func otherEnd(p *record.EC2Peering, vpc string) string {
	if !isActive(p) {
		return ""
	}
	c := &p.Connection
	switch vpc {
	case *c.RequesterVpcInfo.VpcId:
		return *c.AccepterVpcInfo.VpcId
	case *c.AccepterVpcInfo.VpcId:
		return *c.RequesterVpcInfo.VpcId
	}
	return ""
}
