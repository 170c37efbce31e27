package desired

import (
	"net/netip"
	"time"
)

// FlowLog says what is recorded of the traffic of interfaces, and where the records go.
// Which interfaces these are, they say themselves ([LoggedInterface]).
type FlowLog struct {
	ID      string      `json:"id"` // "fl-…"
	VPC     string      `json:"vpc"`
	Traffic FlowTraffic `json:"traffic"`
	// Fields are those of a record, in order: names that [FlowFields] has.
	Fields []string `json:"fields"`
	// Interval is how much time the records of one connection are for at most: a minute
	// or ten.
	Interval time.Duration `json:"interval"`
	// Target has no stream: each interface has one of its own ([FlowLog.Stream]).
	Target LogTarget `json:"target"`
}

// Stream names the stream of an interface.
func (f *FlowLog) Stream(interfaceID string) string { return interfaceID + "-" + f.Traffic.suffix() }

// FlowTraffic is which packets a flow log records.
type FlowTraffic string

// What a flow log records: packets that security groups and network ACLs let through,
// those that they stopped, or both.
const (
	FlowAccepted FlowTraffic = "ACCEPT"
	FlowRejected FlowTraffic = "REJECT"
	FlowAll      FlowTraffic = "ALL"
)

func (t FlowTraffic) suffix() string {
	switch t {
	case FlowAccepted:
		return "accept"
	case FlowRejected:
		return "reject"
	}
	return "all"
}

// LoggedInterface is an interface whose traffic flow logs record: a task's, a load
// balancer's, an endpoint's or a NAT gateway's, on whichever node it is.
type LoggedInterface struct {
	ID       string   `json:"id"` // "eni-…"
	FlowLogs []string `json:"flowLogs"`
	VPC      string   `json:"vpc"`
	Subnet   string   `json:"subnet"`
	Account  string   `json:"account"` // the owner
	ZoneID   string   `json:"zoneId,omitempty"`
	Type     string   `json:"type,omitempty"` // as EC2 has it: "interface", "nat_gateway"
	// Address is the private IPv4 address, the zero Addr when there is none, and IPv6 are
	// all others.
	Address netip.Addr   `json:"address,omitzero"`
	IPv6    []netip.Addr `json:"ipv6,omitempty"`
	// Public is the address that a NAT gateway's private one is translated to.
	Public netip.Addr `json:"public,omitzero"`
	// Task is what the interface is attached to, if that is a task.
	Task *LoggedTask `json:"task,omitempty"`
}

// NATGateway reports whether the interface is a NAT gateway's, which passes on the
// packets of others. EC2 shows the type as "nat_gateway", and its model has "natGateway".
func (i *LoggedInterface) NATGateway() bool { return i.Type == "nat_gateway" || i.Type == "natGateway" }

// LoggedTask is what records say of a task.
type LoggedTask struct {
	ARN        string `json:"arn"`
	Cluster    string `json:"cluster"` // its ARN
	Service    string `json:"service,omitempty"`
	Definition string `json:"definition"` // its ARN
}

// FlowFields are the fields that a record can have, each with the version of flow logs
// that it came with. Source: VPC user guide, "Flow log records".
var FlowFields = map[string]int{
	"version": 2, "account-id": 2, "interface-id": 2, "srcaddr": 2, "dstaddr": 2, "srcport": 2, "dstport": 2,
	"protocol": 2, "packets": 2, "bytes": 2, "start": 2, "end": 2, "action": 2, "log-status": 2,
	"vpc-id": 3, "subnet-id": 3, "instance-id": 3, "tcp-flags": 3, "type": 3, "pkt-srcaddr": 3, "pkt-dstaddr": 3,
	"region": 4, "az-id": 4, "sublocation-type": 4, "sublocation-id": 4,
	"pkt-src-aws-service": 5, "pkt-dst-aws-service": 5, "flow-direction": 5, "traffic-path": 5,
	"ecs-cluster-arn": 7, "ecs-cluster-name": 7, "ecs-container-instance-arn": 7, "ecs-container-instance-id": 7,
	"ecs-container-id": 7, "ecs-second-container-id": 7, "ecs-service-name": 7, "ecs-task-definition-arn": 7,
	"ecs-task-arn": 7, "ecs-task-id": 7,
	"reject-reason": 8, "resource-id": 9, "encryption-status": 10,
	"interface-type": 11, "next-hop-interface-id": 11, "next-hop-subnet-id": 11, "next-hop-az-id": 11,
	"next-hop-vpc-id": 11, "next-hop-interface-type": 11,
}
