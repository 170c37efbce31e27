package ec2

import (
	"fmt"
	"strconv"
	"strings"

	"fargo/aws"
)

// allProtocols is how EC2 writes all protocols.
const allProtocols = "-1"

// protocolNames are the protocols that EC2 calls by name, by their numbers.
// Source: EC2 API, IpPermission.
var protocolNames = map[string]string{"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}

// ipProtocol is a protocol as EC2 shows it: by name if it has one, else by number.
func ipProtocol(given *string) (string, error) {
	if aws.Value(given) == "" {
		return "", badValue("Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly.")
	}
	name := strings.ToLower(*given)
	switch name {
	case "tcp", "udp", "icmp", "icmpv6", allProtocols:
		return name, nil
	}
	number, err := strconv.ParseUint(name, 10, 8)
	if err != nil {
		return "", badValue("Invalid value '%s' for IP protocol. Unknown protocol.", *given)
	}
	canonical := strconv.FormatUint(number, 10)
	if known, ok := protocolNames[canonical]; ok {
		return known, nil
	}
	return canonical, nil
}

// hasPorts reports whether rules of a protocol have ports, or ICMP types and codes.
// Rules of all others are for all traffic of the protocol, whatever range is given.
// Source: EC2 API, IpPermission.
func hasPorts(protocol string) bool {
	return isTransport(protocol) || isICMP(protocol)
}

func isTransport(protocol string) bool { return protocol == "tcp" || protocol == "udp" }
func isICMP(protocol string) bool      { return protocol == "icmp" || protocol == "icmpv6" }

// portRange checks the range of a permission and gives what a rule keeps of it: -1 is
// for all types and codes of ICMP, and for what has no ports.
func portRange(protocol string, from, to *int32) (first, last int32, err error) {
	switch {
	case isTransport(protocol):
		return transportRange(from, to)
	case isICMP(protocol):
		return icmpRange(protocol, from, to)
	}
	return -1, -1, nil
}

func transportRange(from, to *int32) (first, last int32, err error) {
	switch {
	case from == nil || to == nil:
		err = badValue("Invalid value for portRange. Must specify both from and to ports with TCP/UDP.")
	case *from < 0 || *from > 65535:
		err = badValue("TCP/UDP (from) port (%d) out of range", *from)
	case *to < 0 || *to > 65535:
		err = badValue("TCP/UDP (to) port (%d) out of range", *to)
	case *from > *to:
		err = badValue("Invalid TCP/UDP port range (%d:%d)", *from, *to)
	default:
		first, last = *from, *to
	}
	return first, last, err
}

// icmpRange is of a type and a code. ICMPv6 needs neither.
func icmpRange(protocol string, kind, code *int32) (first, last int32, err error) {
	if protocol == "icmp" && (kind == nil || code == nil) {
		return 0, 0, badValue("Invalid value for portRange. Must specify both from and to ports with ICMP.")
	}
	first, last = -1, -1
	if kind != nil {
		first = *kind
	}
	if code != nil {
		last = *code
	}
	switch {
	case first < -1 || first > 255:
		err = badValue("ICMP type (%d) out of range", first)
	case last < -1 || last > 255:
		err = badValue("ICMP code (%d) out of range", last)
	case first == -1 && last != -1:
		err = badValue("ICMP code (%d) must be -1 when the type is -1", last)
	}
	return first, last, err
}

// protocolText is a protocol as the texts of EC2's errors have it.
func protocolText(protocol string) string {
	if protocol == allProtocols {
		return "ALL"
	}
	return strings.ToUpper(protocol)
}

// traffic is a rule's protocol and range as the text of a duplicate has them.
func traffic(protocol string, from, to int32) string {
	switch name := protocolText(protocol); {
	case isTransport(protocol):
		return fmt.Sprintf("%s, from port: %d, to port: %d", name, from, to)
	case isICMP(protocol):
		return fmt.Sprintf("%s, type: %s, code: %s", name, orAll(from), orAll(to))
	case protocol == allProtocols:
		return name
	default:
		return "protocol: " + name
	}
}

func orAll(n int32) string {
	if n == -1 {
		return "ALL"
	}
	return strconv.Itoa(int(n))
}
