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
	// Token is the client token of the call that made it, and Request a digest of all that
	// was in the call.
	Token   string `json:",omitzero"`
	Request string `json:",omitzero"`
}

// Key is the flow log's place in the store.
func (f *EC2FlowLog) Key() string { return f.Scope.Key(*f.FlowLog.FlowLogId) }
