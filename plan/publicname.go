package plan

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/desired"
	"fargo/record"
)

// publicNameTTL is that of an interface's public name. Ours: AWS documents none.
const publicNameTTL = time.Minute

// PublicNames gives the public names of an interface, one for each of its public
// addresses, with the private address that it stands for. There are none in a VPC that
// names no hosts, or that is nil. The result is sorted, so that equal names are equal
// values.
// Source: VPC user guide, "DNS attributes for your VPC".
func PublicNames(vpc *record.EC2VPC, i *record.EC2NetworkInterface) (out []desired.Record) {
	if vpc == nil || !vpc.NamesHosts() {
		return nil
	}
	for _, p := range i.Interface.PrivateIpAddresses {
		if p.Association == nil {
			continue
		}
		public, private := netip.MustParseAddr(*p.Association.PublicIp), netip.MustParseAddr(*p.PrivateIpAddress)
		out = append(out, desired.Record{
			Name: fargo.PublicDNSName(i.Scope.Region, public), Addresses: []netip.Addr{private}, TTL: publicNameTTL,
			VPC: *i.Interface.VpcId, Public: public,
		})
	}
	slices.SortFunc(out, func(a, b desired.Record) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// dnsPeers are the VPCs whose public names stand for private addresses in a VPC: those
// over an active peering connection that allow it, while the VPC names hosts itself.
// Source: VPC peering guide, "Enable DNS resolution for a VPC peering connection".
func dnsPeers(v NetworkView, vpc *record.EC2VPC) (out []string) {
	if !vpc.NamesHosts() {
		return nil
	}
	id := *vpc.VPC.VpcId
	for _, p := range v.Peerings {
		peer := p.Peer(id)
		if peer == "" {
			continue
		}
		remote := p.Connection.RequesterVpcInfo
		if peer != *remote.VpcId {
			remote = p.Connection.AccepterVpcInfo
		}
		if o := remote.PeeringOptions; o != nil && aws.Value(o.AllowDnsResolutionFromRemoteVpc) {
			out = append(out, peer)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
