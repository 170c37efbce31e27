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
	e.Endpoint.DnsOptions = &ec2.DnsOptions{DnsRecordIpType: ec2.DnsRecordIpTypeIpv4}
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

// addEndpointSubnets gives an endpoint an interface in each of some subnets. e is a value
// of the transaction's own.
func addEndpointSubnets(tx *store.Tx, e *record.EC2VPCEndpoint, subnets []string, configured []ec2.SubnetConfiguration, now time.Time) error {
	wanted := map[string]netip.Addr{}
	for _, c := range configured {
		a, err := configuredAddress(c)
		if err != nil {
			return err
		}
		wanted[*c.SubnetId] = a
		if !slices.Contains(subnets, *c.SubnetId) {
			subnets = append(subnets, *c.SubnetId)
		}
	}
	for _, id := range subnets {
		if slices.Contains(e.Endpoint.SubnetIds, id) {
			continue
		}
		if err := addEndpointSubnet(tx, e, id, wanted[id], now); err != nil {
			return err
		}
	}
	return nil
}

func configuredAddress(c ec2.SubnetConfiguration) (netip.Addr, error) {
	if c.SubnetId == nil {
		return netip.Addr{}, missingParameter("SubnetId")
	}
	if c.Ipv6 != nil {
		return netip.Addr{}, notImplemented("SubnetConfigurations.Ipv6")
	}
	if c.Ipv4 == nil {
		return netip.Addr{}, nil
	}
	a, err := netip.ParseAddr(*c.Ipv4)
	if err != nil || !a.Is4() {
		return a, badValue("Value (%s) for parameter ipv4 is invalid. Invalid IPv4 address.", *c.Ipv4)
	}
	return a, nil
}

func addEndpointSubnet(tx *store.Tx, e *record.EC2VPCEndpoint, id string, wanted netip.Addr, now time.Time) error {
	n, err := findSubnet(tx, e.Scope, id)
	if err != nil {
		return err
	}
	vpc := *e.Endpoint.VpcId
	if *n.Subnet.VpcId != vpc {
		return badParameter("The subnet %s is not in the VPC %s.", id, vpc)
	}
	if !n.Prefix().IsValid() { // ours: endpoints have IPv4 addresses only
		return badParameter("The subnet %s has no IPv4 addresses, and the VPC endpoint needs one.", id)
	}
	for _, has := range e.Endpoint.SubnetIds {
		if o, err := findSubnet(tx, e.Scope, has); err == nil && *o.Subnet.AvailabilityZone == *n.Subnet.AvailabilityZone {
			return protocol.Errorf("DuplicateSubnetsInSameZone", "Found another VPC endpoint subnet in the availability zone of %s. VPC endpoint subnets should be in different availability zones supported by the VPC endpoint service.", id)
		}
	}
	i, ok := plan.InterfaceAt(fargo.NewEC2ID("eni"), plan.Candidate{
		Subnet: id, VPC: vpc, Zone: *n.Subnet.AvailabilityZone, Prefix: n.Prefix(),
		Taken: func(a netip.Addr) bool { return store.AddressTaken(tx, vpc, a) },
	}, wanted, endpointGroupIDs(e))
	switch {
	case !ok && wanted.IsValid() && plan.Assignable(n.Prefix(), wanted):
		return protocol.Errorf("InvalidIPAddress.InUse", "The specified address is already in use.")
	case !ok && wanted.IsValid():
		return badValue("Address %s does not fall within the subnet's address range", wanted)
	case !ok:
		return protocol.Errorf("InsufficientFreeAddressesInSubnet", "The specified subnet does not have enough free addresses to satisfy the request.")
	}
	e.Interfaces = append(slices.Clone(e.Interfaces), i)
	e.Endpoint.SubnetIds = append(slices.Clone(e.Endpoint.SubnetIds), id)
	e.Endpoint.NetworkInterfaceIds = append(slices.Clone(e.Endpoint.NetworkInterfaceIds), i.ID)
	store.EC2NetworkInterfaces.Put(tx, endpointInterface(e, &i, n, now))
	return nil
}

// endpointInterface is the record that EC2 shows of an endpoint's interface.
func endpointInterface(e *record.EC2VPCEndpoint, i *desired.Interface, n *record.EC2Subnet, now time.Time) *record.EC2NetworkInterface {
	eni := newInterface(e.Scope, i, n, endpointGroups(e), new("VPC Endpoint Interface "+*e.Endpoint.VpcEndpointId), []ec2.Tag{}, now)
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
