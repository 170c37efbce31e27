package taskmetadata

import (
	"net/netip"

	"fargo"
	"fargo/desired"
)

// network is the interface that a task's containers share.
type network struct {
	NetworkMode              string
	IPv4Addresses            []string `json:",omitempty"`
	IPv6Addresses            []string `json:",omitempty"`
	AttachmentIndex          int
	MACAddress               string
	IPv4SubnetCIDRBlock      string   `json:",omitempty"`
	IPv6SubnetCIDRBlock      string   `json:",omitempty"`
	DomainNameServers        []string `json:",omitempty"`
	DomainNameSearchList     []string `json:",omitempty"`
	PrivateDNSName           string
	SubnetGatewayIpv4Address string `json:",omitempty"`
}

func networks(a *desired.Assignment) []network {
	i := a.Interface
	if i == nil {
		return nil
	}
	arn, _ := fargo.ParseARN(a.TaskARN)
	n := network{
		NetworkMode: "awsvpc", MACAddress: i.MAC,
		PrivateDNSName: fargo.PrivateDNSName(arn.Region, i.Primary()),
	}
	if i.Address.IsValid() {
		n.IPv4Addresses = []string{i.Address.String()}
		n.IPv4SubnetCIDRBlock = i.Prefix.Masked().String()
		gateway := i.Prefix.Masked().Addr().Next()
		n.SubnetGatewayIpv4Address = netip.PrefixFrom(gateway, i.Prefix.Bits()).String()
	}
	if i.IPv6.IsValid() {
		n.IPv6Addresses = []string{i.IPv6.String()}
		n.IPv6SubnetCIDRBlock = i.IPv6Prefix.Masked().String()
	}
	n.DomainNameServers, n.DomainNameSearchList = []string{desired.VPCResolver.String()}, []string{fargo.PrivateDomain(arn.Region)}
	if r := i.Resolver; r != nil {
		n.DomainNameServers, n.DomainNameSearchList = nil, r.Search
		for _, server := range r.Servers {
			n.DomainNameServers = append(n.DomainNameServers, server.String())
		}
	}
	return []network{n}
}
