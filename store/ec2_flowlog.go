package store

import "fargo/record"

// FlowLogByToken is the index of EC2FlowLogs by the client token that they were made
// with, in their scope.
const FlowLogByToken = "token"

// EC2FlowLogs are the flow logs, by scope and id.
var EC2FlowLogs = NewTable("ec2flowlog", (*record.EC2FlowLog).Key,
	Index[record.EC2FlowLog]{ByVPC, func(f *record.EC2FlowLog) []string { return []string{f.VPC} }},
	Index[record.EC2FlowLog]{FlowLogByToken, func(f *record.EC2FlowLog) []string { return some(f.Token) }},
)
