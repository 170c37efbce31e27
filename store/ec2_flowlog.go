package store

import "fargo/record"

// EC2FlowLogs are the flow logs, by scope and id.
var EC2FlowLogs = NewTable("ec2flowlog", (*record.EC2FlowLog).Key,
	Index[record.EC2FlowLog]{ByVPC, func(f *record.EC2FlowLog) []string { return []string{f.VPC} }},
)
