package ec2

import (
	"regexp"
	"strings"

	"fargo/aws/protocol"
)

// idErrors are the errors of the ids of one kind of resource.
type idErrors struct {
	// malformed is the code of an id that does not begin as those of its kind do.
	// Empty where EC2 says of any text that there is no such resource.
	malformed string
	missing   func(id string) error
}

// ids are the errors by how ids begin. The spelling of the codes is EC2's.
// Source: EC2 API reference, "Error codes".
var ids = map[string]idErrors{
	"vpc":      {"InvalidVpcID.Malformed", missing("InvalidVpcID.NotFound", "The vpc ID '%s' does not exist")},
	"subnet":   {"", missing("InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist")},
	"igw":      {"InvalidInternetGatewayId.Malformed", missing("InvalidInternetGatewayID.NotFound", "The internetGateway ID '%s' does not exist")},
	"rtb":      {"InvalidRouteTableId.Malformed", missing("InvalidRouteTableID.NotFound", "The routeTable ID '%s' does not exist")},
	"rtbassoc": {"", missing("InvalidAssociationID.NotFound", "The association ID '%s' does not exist")},
	"sg":       {"InvalidGroupId.Malformed", missing("InvalidGroup.NotFound", "The security group '%s' does not exist")},
	"sgr":      {"InvalidSecurityGroupRuleId.Malformed", missing("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist")},
	"eni":      {"InvalidNetworkInterfaceId.Malformed", missing("InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%s' does not exist")},
	"acl":      {"InvalidNetworkAclId.Malformed", missing("InvalidNetworkAclID.NotFound", "The networkAcl ID '%s' does not exist")},
	"aclassoc": {"", missing("InvalidAssociationID.NotFound", "The association ID '%s' does not exist")},
	"dopt":     {"InvalidDhcpOptionsId.Malformed", missing("InvalidDhcpOptionID.NotFound", "The dhcpOption ID '%s' does not exist")},
	"i":        {"InvalidInstanceID.Malformed", missing("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist")},
	"nat":      {"NatGatewayMalformed", missing("NatGatewayNotFound", "NAT gateway %s was not found")},
	"eipalloc": {"", missing("InvalidAllocationID.NotFound", "The allocation ID '%s' does not exist")},
	"eipassoc": {"", missing("InvalidAssociationID.NotFound", "The association ID '%s' does not exist")},
	"eigw":     {"InvalidEgressOnlyInternetGatewayId.Malformed", missing("InvalidEgressOnlyInternetGatewayId.NotFound", "The egressOnlyInternetGateway ID '%s' does not exist")},
	"vol":      {"InvalidVolumeID.Malformed", missing("InvalidVolume.NotFound", "The volume '%s' does not exist.")},
	"pl":       {"InvalidPrefixListId.Malformed", missing("InvalidPrefixListID.NotFound", "The prefix list ID '%s' does not exist")},
	"vpce":     {"InvalidVpcEndpointId.Malformed", missing("InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '%s' does not exist")},
	"pcx":      {"InvalidVpcPeeringConnectionId.Malformed", missing("InvalidVpcPeeringConnectionID.NotFound", "The vpcPeeringConnection ID '%s' does not exist")},
}

// missing makes the error of a well-formed id that is not there.
func missing(code, text string) func(id string) error {
	return func(id string) error { return protocol.Errorf(code, text, id) }
}

// noSuch makes the error of an id that is not there, of the kind whose ids begin
// with prefix.
func noSuch(prefix string) func(id string) error {
	of := ids[prefix]
	return func(id string) error {
		if of.malformed != "" && !strings.HasPrefix(id, prefix+"-") {
			return protocol.Errorf(of.malformed, "Invalid id: \"%s\" (expecting \"%s-...\")", id, prefix)
		}
		return of.missing(id)
	}
}

var (
	noVPC        = noSuch("vpc")
	noSubnet     = noSuch("subnet")
	noGateway    = noSuch("igw")
	noRouteTable = noSuch("rtb")
	noGroupID    = noSuch("sg")
	noRule       = noSuch("sgr")
	noInterface  = noSuch("eni")
)

// noResource is the error of an id that is not there, of any kind that has tags.
// Clients wait and try again when they know the resource is new.
func noResource(id string) error {
	switch prefix, _, _ := strings.Cut(id, "-"); prefix {
	case "fl":
		return noFlowLogs(id)
	case "vpc", "subnet", "igw", "rtb", "sg", "sgr", "eni", "eipalloc", "nat", "eigw", "vpce", "pl", "acl", "dopt", "pcx", "vol":
		return noSuch(prefix)(id)
	}
	return protocol.Errorf("InvalidID", "The ID '%s' is not valid", id)
}

// wholeID is the form of ids: eight digits in the past, seventeen now.
var wholeID = regexp.MustCompile(`^[a-z]+-(?:[0-9a-f]{8}|[0-9a-f]{17})$`)

// malformedID is the error of a filter's value that is no id of a kind.
func malformedID(prefix, noun, id string) error {
	if strings.HasPrefix(id, prefix+"-") && wholeID.MatchString(id) {
		return nil
	}
	return protocol.Errorf(ids[prefix].malformed, "The %s ID '%s' is malformed", noun, id)
}
