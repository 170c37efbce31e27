package ec2

import (
	"slices"
	"strings"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/desired"
	"fargo/plan"
)

// checkFlowLogs checks what a call says by itself, and gives the tags.
func checkFlowLogs(in *ec2.CreateFlowLogsInput) ([]ec2.Tag, error) {
	for _, check := range []func(*ec2.CreateFlowLogsInput) error{
		checkFlowLogResources, checkFlowLogDestination, checkFlowLogFormat,
	} {
		if err := check(in); err != nil {
			return nil, err
		}
	}
	if n := in.MaxAggregationInterval; n != nil && *n != 60 && *n != 600 {
		return nil, badParameter("Invalid Flow Log Max Aggregation Interval.")
	}
	return requestTags(in.TagSpecifications, ec2.ResourceTypeVpcFlowLog)
}

func checkFlowLogResources(in *ec2.CreateFlowLogsInput) error {
	switch in.ResourceType {
	case ec2.FlowLogsResourceTypeVpc, ec2.FlowLogsResourceTypeSubnet, ec2.FlowLogsResourceTypeNetworkInterface:
	default:
		return protocol.Errorf("UnsupportedOperation", "Fargo has no resources of the type %s.", in.ResourceType)
	}
	switch {
	case in.TrafficType == "":
		return missingParameter("TrafficType")
	case len(in.ResourceIds) == 0:
		return missingParameter("ResourceId")
	case len(in.ResourceIds) > maxFlowLogResources:
		return badParameter("A call can have no more than %d resources.", maxFlowLogResources)
	}
	return nil
}

func checkFlowLogDestination(in *ec2.CreateFlowLogsInput) error {
	group, destination := aws.Value(in.LogGroupName), aws.Value(in.LogDestination)
	toLogs := in.LogDestinationType == "" || in.LogDestinationType == ec2.LogDestinationTypeCloudWatchLogs
	switch {
	case group != "" && destination != "":
		return badParameter("Please only provide LogGroupName or only provide LogDestination.")
	case group != "" && !toLogs:
		return badParameter("LogDestination type must be cloud-watch-logs if LogGroupName is provided.")
	case group == "" && destination == "":
		return badParameter("LogDestination can't be empty if LogGroupName is not provided.")
	case toLogs && aws.Value(in.DeliverLogsPermissionArn) == "":
		return badParameter("DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.")
	case in.LogDestinationType == ec2.LogDestinationTypeS3 && in.DeliverLogsPermissionArn != nil:
		return badParameter("DeliverLogsPermissionArn is not applicable for s3 delivery")
	case in.LogDestinationType == ec2.LogDestinationTypeKinesisDataFirehose:
		return protocol.Errorf("UnsupportedOperation", "Fargo has no delivery streams of Amazon Data Firehose.")
	case toLogs:
		return refuseSet(map[string]bool{
			"DestinationOptions": in.DestinationOptions != nil, "DeliverCrossAccountRole": in.DeliverCrossAccountRole != nil,
		})
	}
	return nil
}

// tagFieldsOfRecords are the fields with values of tags that the call names.
var tagFieldsOfRecords = []string{"instance-tag", "instance-tag-2", "interface-tag", "interface-tag-2", "asg-tag", "asg-tag-2"}

func checkFlowLogFormat(in *ec2.CreateFlowLogsInput) error {
	if len(in.TagFieldSpecifications) > 0 {
		return notImplemented("TagFieldSpecification")
	}
	if in.LogFormat == nil {
		return nil
	}
	names := plan.FlowLogFields(*in.LogFormat)
	if names == nil {
		return badValue("1 validation error detected: Value '%s' at 'logFormat' has an invalid format", *in.LogFormat)
	}
	for _, name := range names {
		switch {
		case desired.FlowFields[name] != 0:
		case slices.Contains(tagFieldsOfRecords, name):
			return badParameter("The TagFieldSpecifications parameter must be set when including tag fields in the log format")
		default:
			return badParameter("Unknown fields provided")
		}
	}
	return nil
}

// flowLogGroup is the log group of a call, which names it, or gives its ARN. Log groups
// end in ":*" in ARNs that CloudWatch Logs shows.
func flowLogGroup(in *ec2.CreateFlowLogsInput, scope fargo.Scope) (string, error) {
	if aws.Value(in.LogGroupName) != "" {
		return *in.LogGroupName, nil
	}
	a, ok := fargo.ParseARN(*in.LogDestination)
	name, group := strings.CutPrefix(strings.TrimSuffix(a.Resource, ":*"), "log-group:")
	switch {
	case !ok || a.Service != "logs" || !group || name == "":
		return "", badParameter("LogDestination %s is not the ARN of a log group.", *in.LogDestination)
	case a.Scope() != scope:
		return "", protocol.Errorf("UnsupportedOperation", "Fargo does not deliver flow logs to another account or region.")
	}
	return name, nil
}
