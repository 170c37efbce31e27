package record

// Network is what there is to know of some VPCs: all that is in them or attached to
// them, and of peering connections and prefix lists those that may concern them.
type Network struct {
	VPCs               []*EC2VPC
	Subnets            []*EC2Subnet
	Groups             []*EC2SecurityGroup
	Interfaces         []*EC2NetworkInterface
	RouteTables        []*EC2RouteTable
	InternetGateways   []*EC2InternetGateway
	EgressOnlyGateways []*EC2EgressOnlyGateway
	NATGateways        []*EC2NATGateway
	Endpoints          []*EC2VPCEndpoint
	PrefixLists        []*EC2PrefixList
	ACLs               []*EC2NetworkACL
	Peerings           []*EC2Peering
}
