package ec2

import (
	"net/netip"
	"slices"

	"fargo/aws/ec2"
	"fargo/desired"
	"fargo/record"
	"fargo/store"
)

// checkIPv4 refuses what needs IPv6, which gateway endpoints do not have.
func checkIPv4(kind ec2.IpAddressType, dns *ec2.DnsOptionsSpecification) error {
	if kind != "" && kind != ec2.IpAddressTypeIpv4 {
		return notImplemented("IpAddressType " + string(kind) + " of gateway endpoints")
	}
	if err := checkDNSOptions(dns); err != nil || dns == nil {
		return err
	}
	return checkRecordType(ec2.IpAddressTypeIpv4, dns.DnsRecordIpType)
}

func checkDNSOptions(dns *ec2.DnsOptionsSpecification) error {
	if dns == nil {
		return nil
	}
	return refuseSet(map[string]bool{
		"DnsOptions.PrivateDnsOnlyForInboundResolverEndpoint": dns.PrivateDnsOnlyForInboundResolverEndpoint != nil && *dns.PrivateDnsOnlyForInboundResolverEndpoint,
		"DnsOptions.PrivateDnsPreference":                     dns.PrivateDnsPreference != nil,
		"DnsOptions.PrivateDnsSpecifiedDomains":               len(dns.PrivateDnsSpecifiedDomains) > 0,
	})
}

// setAddressTypes makes of an endpoint what a call asks for: its IP address type, and
// which of its addresses its names have. What the call leaves out stays; records that do
// not fit any more follow the type.
func setAddressTypes(e *record.EC2VPCEndpoint, kind ec2.IpAddressType, dns *ec2.DnsOptionsSpecification) error {
	if err := checkDNSOptions(dns); err != nil {
		return err
	}
	options := ec2.DnsOptions{}
	if e.Endpoint.DnsOptions != nil {
		options = *e.Endpoint.DnsOptions
	}
	if kind != "" && kind != e.Endpoint.IpAddressType {
		e.Endpoint.IpAddressType, options.DnsRecordIpType = kind, ""
	}
	if dns != nil && dns.DnsRecordIpType != "" {
		options.DnsRecordIpType = dns.DnsRecordIpType
	}
	if options.DnsRecordIpType == "" {
		options.DnsRecordIpType = ec2.DnsRecordIpType(e.Endpoint.IpAddressType)
	}
	e.Endpoint.DnsOptions = &options
	return checkRecordType(e.Endpoint.IpAddressType, options.DnsRecordIpType)
}

// checkRecordType holds which records the names of an endpoint may have.
// Source: AWS PrivateLink guide, "DNS record IP type".
func checkRecordType(kind ec2.IpAddressType, records ec2.DnsRecordIpType) error {
	fits := map[ec2.IpAddressType][]ec2.DnsRecordIpType{
		ec2.IpAddressTypeIpv4:      {"", ec2.DnsRecordIpTypeIpv4, ec2.DnsRecordIpTypeServiceDefined},
		ec2.IpAddressTypeIpv6:      {ec2.DnsRecordIpTypeIpv6, ec2.DnsRecordIpTypeServiceDefined},
		ec2.IpAddressTypeDualstack: {ec2.DnsRecordIpTypeIpv4, ec2.DnsRecordIpTypeIpv6, ec2.DnsRecordIpTypeDualstack, ec2.DnsRecordIpTypeServiceDefined},
	}
	if !slices.Contains(fits[kind], records) {
		return badParameter("The DNS record IP type %s is not supported with the IP address type %s.", records, kind)
	}
	return nil
}

// endpointBlocks are the CIDRs of a subnet that an endpoint has addresses of.
// Source: AWS PrivateLink guide, "IP address type".
func endpointBlocks(kind ec2.IpAddressType, n *record.EC2Subnet) (four, six netip.Prefix, err error) {
	four = n.Prefix()
	six, has6 := n.Prefix6()
	switch {
	case kind == ec2.IpAddressTypeIpv6 && (!has6 || four.IsValid()):
		return four, six, badParameter("The subnet %s has IPv4 addresses or no IPv6 addresses, and the VPC endpoint is of the IP address type ipv6.", *n.Subnet.SubnetId)
	case kind != ec2.IpAddressTypeIpv6 && !four.IsValid():
		return four, six, badParameter("The subnet %s has no IPv4 addresses, and the VPC endpoint needs one.", *n.Subnet.SubnetId)
	case kind == ec2.IpAddressTypeDualstack && !has6:
		return four, six, badParameter("The subnet %s has no IPv6 addresses, and the VPC endpoint needs one.", *n.Subnet.SubnetId)
	case kind == ec2.IpAddressTypeIpv4:
		six = netip.Prefix{}
	}
	return four, six, nil
}

// readdressEndpoint gives the interfaces of an endpoint the addresses of its IP address
// type.
func readdressEndpoint(tx *store.Tx, e *record.EC2VPCEndpoint) error {
	e.Interfaces = slices.Clone(e.Interfaces)
	for k := range e.Interfaces {
		i := &e.Interfaces[k]
		n, err := findSubnet(tx, e.Scope, i.Subnet)
		if err != nil {
			return err
		}
		if _, i.IPv6Prefix, err = endpointBlocks(e.Endpoint.IpAddressType, n); err != nil {
			return err
		}
		switch {
		case !i.IPv6Prefix.IsValid():
			i.IPv6, i.DenyGateway = netip.Addr{}, false
		case !i.IPv6.IsValid():
			free := freeAddresses{tx, n, i.ID, map[netip.Addr]bool{}}
			if i.IPv6, err = free.six(netip.Addr{}); err != nil {
				return err
			}
			i.DenyGateway = true
		}
		if eni, ok := store.EC2NetworkInterfaces.Get(tx, e.Scope.Key(i.ID)); ok {
			c := *eni
			showEndpointIPv6(&c, i)
			store.EC2NetworkInterfaces.Put(tx, &c)
		}
	}
	return nil
}

// showEndpointIPv6 shows an interface's IPv6 address, which nothing reaches through an
// Internet gateway.
// Source: AWS PrivateLink guide, "Prerequisites" of IPv6: denyAllIgwTraffic is enabled.
func showEndpointIPv6(eni *record.EC2NetworkInterface, i *desired.Interface) {
	eni.Interface.Ipv6Addresses, eni.Interface.DenyAllIgwTraffic = []ec2.NetworkInterfaceIpv6Address{}, nil
	if i.IPv6.IsValid() {
		eni.Interface.Ipv6Addresses = append(eni.Interface.Ipv6Addresses, ipv6Address(i.IPv6))
		eni.Interface.DenyAllIgwTraffic = new(true)
	}
}
