package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"fargo/aws/ec2"
	"fargo/record"
)

// changeNames does what a line says that decides about public names.
func (n *networkText) changeNames(verb, id string, rest []string) bool {
	switch verb {
	case "attributes": // vpc support|hostnames…
		vpc := n.vpc(id)
		vpc.DNSSupport, vpc.DNSHostnames = slices.Contains(rest, "support"), slices.Contains(rest, "hostnames")
	case "associate": // interface private public
		i := n.networkInterface(id)
		*i = *i.WithAssociation(rest[0], AutoAssigned(netip.MustParseAddr(rest[1]), OwnerAmazon))
	case "option": // peering requester|accepter on|off
		p := n.peering(id)
		side := p.Connection.RequesterVpcInfo
		if rest[0] == "accepter" {
			side = p.Connection.AccepterVpcInfo
		}
		side.PeeringOptions = &ec2.VpcPeeringConnectionOptionsDescription{AllowDnsResolutionFromRemoteVpc: new(rest[1] == "on")}
	case "end": // peering
		p := n.peering(id)
		p.Connection.Status = &ec2.VpcPeeringConnectionStateReason{Code: ec2.VpcPeeringConnectionStateReasonCodeDeleted}
	default:
		return false
	}
	return true
}

func (n *networkText) vpc(id string) *record.EC2VPC {
	return n.view.VPCs[slices.IndexFunc(n.view.VPCs, func(v *record.EC2VPC) bool { return *v.VPC.VpcId == id })]
}

func (n *networkText) networkInterface(id string) *record.EC2NetworkInterface {
	return n.view.Interfaces[slices.IndexFunc(n.view.Interfaces, func(i *record.EC2NetworkInterface) bool { return *i.Interface.NetworkInterfaceId == id })]
}

func (n *networkText) peering(id string) *record.EC2Peering {
	return n.view.Peerings[slices.IndexFunc(n.view.Peerings, func(p *record.EC2Peering) bool { return *p.Connection.VpcPeeringConnectionId == id })]
}

// names shows the public names of an interface.
func (n *networkText) names(id string) string {
	i := n.networkInterface(id)
	var out []string
	for _, r := range PublicNames(n.vpc(*i.Interface.VpcId), i) {
		out = append(out, fmt.Sprintf("%s in %s %v, else %v", r.Name, r.VPC, r.Addresses, r.Public))
	}
	if out == nil {
		return id + " has none"
	}
	return strings.Join(out, "\n")
}

// dnsPeers shows which peers' public names stand for private addresses in a VPC, and
// whether it knows the private names of its own.
func (n *networkText) dnsPeers(id string) string {
	for _, v := range Networks(n.view) {
		if v.ID == id {
			return fmt.Sprintf("%s resolves %v of %v, own %t", id, v.DNSPeers, v.Peers, v.DNS && !v.NoHostNames)
		}
	}
	return ""
}
