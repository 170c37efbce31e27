package record

import (
	"fargo"
	"fargo/aws/ec2"
)

// EC2FlowLog is a flow log. What it is for, FlowLog.ResourceId says: a VPC, a subnet or
// a network interface.
type EC2FlowLog struct {
	Scope   fargo.Scope
	FlowLog ec2.FlowLog
	VPC     string // the id of the VPC that the resource is in
	EC2Request
}

// Key is the flow log's place in the store.
func (f *EC2FlowLog) Key() string { return f.Scope.Key(*f.FlowLog.FlowLogId) }
