package ec2

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// makeInterfaceEndpoint gives a new interface endpoint its interfaces and names.
func makeInterfaceEndpoint(tx *store.Tx, v *record.EC2VPC, e *record.EC2VPCEndpoint, service *plan.EndpointService, in *ec2.CreateVpcEndpointInput, now time.Time) error {
	groups, err := interfaceGroups(tx, e.Scope, *in.VpcId, in.SecurityGroupIds)
	if err != nil {
		return err
	}
	setEndpointGroups(e, groups)
	if err := setAddressTypes(e, in.IpAddressType, in.DnsOptions); err != nil {
		return err
	}
	if in.PrivateDnsEnabled == nil || *in.PrivateDnsEnabled {
		if err := enablePrivateDNS(tx, v, e, service); err != nil {
			return err
		}
	}
	if err := addEndpointSubnets(tx, e, in.SubnetIds, in.SubnetConfigurations, now); err != nil {
		return err
	}
	nameEndpoint(tx, e)
	return nil
}

// enablePrivateDNS makes the service's names stand for the endpoint in its VPC.
func enablePrivateDNS(r store.Reader, v *record.EC2VPC, e *record.EC2VPCEndpoint, service *plan.EndpointService) error {
	vpc := *v.VPC.VpcId
	if !v.NamesHosts() {
		return badParameter("Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for %s", vpc)
	}
	for o := range store.EC2VPCEndpoints.By(r, store.ByVPC, vpc) {
		if *o.Endpoint.ServiceName == *e.Endpoint.ServiceName && *o.Endpoint.VpcEndpointId != *e.Endpoint.VpcEndpointId && *o.Endpoint.PrivateDnsEnabled {
			return badParameter("private-dns-enabled cannot be set because there is already a conflicting DNS domain for %s in the VPC %s", strings.TrimPrefix(service.NamesIn(e.Scope.Region)[0], "*."), vpc)
		}
	}
	e.Endpoint.PrivateDnsEnabled = new(true)
	return nil
}

// addEndpointSubnets gives an endpoint an interface in each of some subnets. One that is
// to have other addresses than it has is replaced. e is a value of the transaction's own.
// Source: EC2 API, SubnetConfiguration.
func addEndpointSubnets(tx *store.Tx, e *record.EC2VPCEndpoint, subnets []string, configured []ec2.SubnetConfiguration, now time.Time) error {
	wanted := map[string]endpointWish{}
	for _, c := range configured {
		w, err := configuredAddresses(c)
		if err != nil {
			return err
		}
		wanted[*c.SubnetId] = w
		if !slices.Contains(subnets, *c.SubnetId) {
			subnets = append(subnets, *c.SubnetId)
		}
	}
	for _, id := range subnets {
		if at := slices.IndexFunc(e.Interfaces, func(i desired.Interface) bool { return i.Subnet == id }); at >= 0 {
			if wanted[id].is(&e.Interfaces[at]) {
				continue
			}
			removeEndpointSubnets(tx, e, []string{id})
		}
		if err := addEndpointSubnet(tx, e, id, wanted[id], now); err != nil {
			return err
		}
	}
	return nil
}

// endpointWish are the addresses that an interface must have; a zero Addr means any.
type endpointWish struct{ four, six netip.Addr }

func configuredAddresses(c ec2.SubnetConfiguration) (w endpointWish, err error) {
	if c.SubnetId == nil {
		return w, missingParameter("SubnetId")
	}
	if c.Ipv4 != nil {
		if w.four, err = netip.ParseAddr(*c.Ipv4); err != nil || !w.four.Is4() {
			return w, badValue("Value (%s) for parameter ipv4 is invalid. Invalid IPv4 address.", *c.Ipv4)
		}
	}
	if c.Ipv6 != nil {
		if w.six, err = netip.ParseAddr(*c.Ipv6); err != nil || !w.six.Is6() || w.six.Zone() != "" {
			return w, badValue("Value (%s) for parameter ipv6 is invalid. Invalid IPv6 address.", *c.Ipv6)
		}
	}
	return w, nil
}

// is reports whether an interface has what is wished for.
func (w endpointWish) is(i *desired.Interface) bool {
	return (!w.four.IsValid() || w.four == i.Address) && (!w.six.IsValid() || w.six == i.IPv6)
}

// of are the addresses of a subnet that the wish comes to: of its blocks, those that are
// valid.
func (w endpointWish) of(free *freeAddresses, four, six netip.Prefix) (given endpointWish, err error) {
	for _, f := range []struct {
		block  netip.Prefix
		wanted netip.Addr
		find   func(netip.Addr) (netip.Addr, error)
		given  *netip.Addr
	}{{four, w.four, free.four, &given.four}, {six, w.six, free.six, &given.six}} {
		switch {
		case f.block.IsValid():
			if *f.given, err = f.find(f.wanted); err != nil {
				return given, err
			}
		case f.wanted.IsValid():
			return given, badParameter("The address %s does not fit the IP address type of the VPC endpoint.", f.wanted)
		}
	}
	return given, nil
}

func addEndpointSubnet(tx *store.Tx, e *record.EC2VPCEndpoint, id string, wanted endpointWish, now time.Time) error {
	n, err := findSubnet(tx, e.Scope, id)
	if err != nil {
		return err
	}
	vpc := *e.Endpoint.VpcId
	if *n.Subnet.VpcId != vpc {
		return badParameter("The subnet %s is not in the VPC %s.", id, vpc)
	}
	four, six, err := endpointBlocks(e.Endpoint.IpAddressType, n)
	if err != nil {
		return err
	}
	for _, has := range e.Endpoint.SubnetIds {
		if o, err := findSubnet(tx, e.Scope, has); err == nil && *o.Subnet.AvailabilityZone == *n.Subnet.AvailabilityZone {
			return protocol.Errorf("DuplicateSubnetsInSameZone", "Found another VPC endpoint subnet in the availability zone of %s. VPC endpoint subnets should be in different availability zones supported by the VPC endpoint service.", id)
		}
	}
	free := freeAddresses{tx, n, fargo.NewEC2ID("eni"), map[netip.Addr]bool{}}
	given, err := wanted.of(&free, four, six)
	if err != nil {
		return err
	}
	i, _ := plan.InterfaceAt(free.seed, plan.Candidate{
		Subnet: id, VPC: vpc, Zone: *n.Subnet.AvailabilityZone, Prefix: four,
		Taken: func(netip.Addr) bool { return false }, // it is not, see freeAddresses
	}, given.four, endpointGroupIDs(e))
	i.IPv6, i.IPv6Prefix, i.DenyGateway = given.six, six, six.IsValid()
	e.Interfaces = append(slices.Clone(e.Interfaces), i)
	e.Endpoint.SubnetIds = append(slices.Clone(e.Endpoint.SubnetIds), id)
	e.Endpoint.NetworkInterfaceIds = append(slices.Clone(e.Endpoint.NetworkInterfaceIds), i.ID)
	store.EC2NetworkInterfaces.Put(tx, endpointInterface(e, &i, n, now))
	return nil
}

// endpointInterface is the record that EC2 shows of an endpoint's interface.
func endpointInterface(e *record.EC2VPCEndpoint, i *desired.Interface, n *record.EC2Subnet, now time.Time) *record.EC2NetworkInterface {
	eni := newInterface(e.Scope, i, n, endpointGroups(e), new("VPC Endpoint Interface "+*e.Endpoint.VpcEndpointId), []ec2.Tag{}, now)
	showEndpointIPv6(eni, i)
	eni.Interface.InterfaceType, eni.Interface.RequesterManaged = ec2.NetworkInterfaceTypeVpcEndpoint, new(true)
	eni.Interface.Status = ec2.NetworkInterfaceStatusInUse
	eni.Interface.Attachment = &ec2.NetworkInterfaceAttachment{
		AttachmentId: new(fargo.NewEC2ID("ela-attach")), AttachTime: &now, DeleteOnTermination: new(false), DeviceIndex: new(int32(1)),
		InstanceOwnerId: new("amazon-aws"), Status: ec2.AttachmentStatusAttached,
	}
	return eni
}

// removeEndpointSubnets takes an endpoint's interfaces from subnets.
func removeEndpointSubnets(tx *store.Tx, e *record.EC2VPCEndpoint, subnets []string) {
	for _, i := range slices.Clone(e.Interfaces) {
		if !slices.Contains(subnets, i.Subnet) {
			continue
		}
		store.EC2NetworkInterfaces.Delete(tx, e.Scope.Key(i.ID))
		e.Interfaces = slices.DeleteFunc(slices.Clone(e.Interfaces), func(o desired.Interface) bool { return o.ID == i.ID })
		e.Endpoint.SubnetIds = withoutID(e.Endpoint.SubnetIds, i.Subnet)
		e.Endpoint.NetworkInterfaceIds = withoutID(e.Endpoint.NetworkInterfaceIds, i.ID)
	}
}

func setEndpointGroups(e *record.EC2VPCEndpoint, groups []ec2.GroupIdentifier) {
	e.Endpoint.Groups = []ec2.SecurityGroupIdentifier{}
	for _, g := range groups {
		e.Endpoint.Groups = append(e.Endpoint.Groups, ec2.SecurityGroupIdentifier(g))
	}
	ids := endpointGroupIDs(e)
	e.Interfaces = slices.Clone(e.Interfaces)
	for i := range e.Interfaces {
		e.Interfaces[i].Groups = ids
	}
}

func endpointGroupIDs(e *record.EC2VPCEndpoint) []string {
	ids := make([]string, len(e.Endpoint.Groups))
	for i, g := range e.Endpoint.Groups {
		ids[i] = *g.GroupId
	}
	return ids
}

func endpointGroups(e *record.EC2VPCEndpoint) []ec2.GroupIdentifier {
	groups := make([]ec2.GroupIdentifier, len(e.Endpoint.Groups))
	for i, g := range e.Endpoint.Groups {
		groups[i] = ec2.GroupIdentifier(g)
	}
	return groups
}

// endpointZoneID is the hosted zone of the names of endpoints in us-east-1. Those of other
// regions are not shown.
// Source: EC2 API, the examples of DescribeVpcEndpoints.
const endpointZoneID = "Z7HUB22UULQXV"

// nameEndpoint gives an endpoint its names: the regional one, those of its zones in the
// order of its interfaces, and those of the service, with private DNS. See
// [plan.EndpointNames].
func nameEndpoint(r store.Reader, e *record.EC2VPCEndpoint) {
	names := serviceOf(e).NamesIn(e.Scope.Region)
	base := endpointDomain(names[0])
	var zone *string
	if e.Scope.Region == "us-east-1" {
		zone = new(endpointZoneID)
	}
	label, private := endpointLabel(e), privateZone(e)
	e.Endpoint.DnsEntries = []ec2.DnsEntry{{DnsName: new(label + "." + base), HostedZoneId: zone}}
	for _, i := range e.Interfaces {
		if n, err := findSubnet(r, e.Scope, i.Subnet); err == nil {
			e.Endpoint.DnsEntries = append(e.Endpoint.DnsEntries, ec2.DnsEntry{DnsName: new(label + "-" + *n.Subnet.AvailabilityZone + "." + base), HostedZoneId: zone})
		}
	}
	if !aws.Value(e.Endpoint.PrivateDnsEnabled) {
		return
	}
	for _, name := range names {
		e.Endpoint.DnsEntries = append(e.Endpoint.DnsEntries, ec2.DnsEntry{DnsName: &name, HostedZoneId: private})
	}
}

// endpointDomain is what the names of a service's endpoints end in:
// "logs.us-east-1.vpce.amazonaws.com".
func endpointDomain(name string) string {
	return strings.TrimSuffix(strings.TrimPrefix(name, "*."), ".amazonaws.com") + ".vpce.amazonaws.com"
}

// endpointLabel is the first label of an endpoint's names, which stays: its id and eight
// characters more.
func endpointLabel(e *record.EC2VPCEndpoint) string {
	if len(e.Endpoint.DnsEntries) > 0 {
		label, _, _ := strings.Cut(*e.Endpoint.DnsEntries[0].DnsName, ".")
		return label
	}
	return *e.Endpoint.VpcEndpointId + "-" + fargo.NewHex(8)
}

// privateZone is the hosted zone of an endpoint's private names, which stays for as long
// as it has such names.
func privateZone(e *record.EC2VPCEndpoint) *string {
	for _, d := range e.Endpoint.DnsEntries {
		if !strings.HasSuffix(*d.DnsName, ".vpce.amazonaws.com") {
			return d.HostedZoneId
		}
	}
	return new("Z0" + strings.ToUpper(fargo.NewHex(19)))
}
