package ec2

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"fargo"
	"fargo/api"
	"fargo/api/iam"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

// Bounds of flow logs. Sources: EC2 API, CreateFlowLogs, ResourceId; VPC user guide,
// "Amazon VPC quotas".
const (
	maxFlowLogResources = 300
	maxFlowLogsOf       = 250 // of one resource
)

// flowLogsService is who must be let into the role.
// Source: VPC user guide, "IAM role for publishing flow logs to CloudWatch Logs".
const flowLogsService = "vpc-flow-logs.amazonaws.com"

// defaultFlowLogFormat has all fields of version 2.
// Source: VPC user guide, "Flow log records".
const defaultFlowLogFormat = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} " +
	"${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}"

// CreateFlowLogs makes a flow log for each of the resources. What is wrong with one of
// them does not keep it from the others.
func (s *Server) CreateFlowLogs(ctx context.Context, in *ec2.CreateFlowLogsInput) (*ec2.CreateFlowLogsOutput, error) {
	tags, err := checkFlowLogs(in)
	if err != nil {
		return nil, err
	}
	out := &ec2.CreateFlowLogsOutput{ClientToken: in.ClientToken}
	if out.ClientToken == nil {
		out.ClientToken = new(uuid.NewString())
	}
	if in.LogDestinationType == ec2.LogDestinationTypeS3 {
		out.FlowLogIds, out.Unsuccessful = []string{}, noBucket(in)
		return out, nil
	}
	group, err := flowLogGroup(in, api.CallFrom(ctx).Scope())
	if err != nil {
		return nil, err
	}
	request, err := requestOf(in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		out.FlowLogIds, out.Unsuccessful = []string{}, []ec2.UnsuccessfulItem{}
		made, err := repeated(request, store.EC2FlowLogs.Prefix(tx, scope.Key()))
		for _, f := range made {
			out.FlowLogIds = append(out.FlowLogIds, *f.FlowLog.FlowLogId)
		}
		if err != nil || len(made) > 0 {
			return err
		}
		if !iam.Assumable(tx, *in.DeliverLogsPermissionArn, flowLogsService, scope.ARN("ec2", "vpc-flow-log/*")) {
			return badParameter("Unable to assume given IAM role: '%s'", *in.DeliverLogsPermissionArn)
		}
		for _, id := range in.ResourceIds {
			vpc, err := flowLogResource(tx, scope, in.ResourceType, id)
			if err != nil {
				out.Unsuccessful = append(out.Unsuccessful, unsuccessful(id, err))
				continue
			}
			f := newFlowLog(scope, in, id, group, tags, now)
			f.VPC, f.EC2Request = vpc, request
			if err := admitFlowLog(tx, f); err != nil {
				return err
			}
			store.EC2FlowLogs.Put(tx, f)
			out.FlowLogIds = append(out.FlowLogIds, *f.FlowLog.FlowLogId)
		}
		return nil
	})
}

// flowLogResource checks that there is a resource, and gives the VPC that it is in.
func flowLogResource(r store.Reader, scope fargo.Scope, kind ec2.FlowLogsResourceType, id string) (vpc string, err error) {
	switch kind {
	case ec2.FlowLogsResourceTypeVpc:
		_, err = findVPC(r, scope, id)
		return id, err
	case ec2.FlowLogsResourceTypeSubnet:
		n, err := findSubnet(r, scope, id)
		if err != nil {
			return "", err
		}
		return *n.Subnet.VpcId, nil
	}
	i, ok := store.EC2NetworkInterfaces.Get(r, scope.Key(id))
	if !ok {
		return "", noInterface(id)
	}
	return *i.Interface.VpcId, nil
}

// admitFlowLog refuses a flow log of which there is one, and one too many.
func admitFlowLog(r store.Reader, f *record.EC2FlowLog) error {
	count := 0
	for o := range store.EC2FlowLogs.By(r, store.ByVPC, f.VPC) {
		if *o.FlowLog.ResourceId != *f.FlowLog.ResourceId {
			continue
		}
		if count++; sameFlowLog(&o.FlowLog, &f.FlowLog) {
			return protocol.Errorf("FlowLogAlreadyExists", "Error. There is an existing Flow Log with the same configuration and log destination.")
		}
	}
	if count >= maxFlowLogsOf {
		return protocol.Errorf("FlowLogsLimitExceeded", "The resource %s has %d flow logs, and can have no more.", *f.FlowLog.ResourceId, count)
	}
	return nil
}

// sameFlowLog reports whether two flow logs of a resource record the same in the same
// place.
func sameFlowLog(a, b *ec2.FlowLog) bool {
	return a.TrafficType == b.TrafficType && *a.LogGroupName == *b.LogGroupName &&
		*a.LogFormat == *b.LogFormat && *a.MaxAggregationInterval == *b.MaxAggregationInterval
}

func newFlowLog(scope fargo.Scope, in *ec2.CreateFlowLogsInput, resource, group string, tags []ec2.Tag, now time.Time) *record.EC2FlowLog {
	f := &record.EC2FlowLog{
		Scope: scope,
		FlowLog: ec2.FlowLog{
			FlowLogId: new(fargo.NewEC2ID("fl")), CreationTime: new(now.UTC().Truncate(time.Millisecond)),
			DeliverLogsPermissionArn: in.DeliverLogsPermissionArn, DeliverLogsStatus: new("SUCCESS"), FlowLogStatus: new("ACTIVE"),
			LogDestinationType: ec2.LogDestinationTypeCloudWatchLogs, LogGroupName: &group, LogDestination: in.LogDestination,
			LogFormat: new(defaultFlowLogFormat), MaxAggregationInterval: new(int32(600)),
			ResourceId: &resource, TrafficType: in.TrafficType, Tags: tags,
		},
	}
	if in.LogFormat != nil {
		f.FlowLog.LogFormat = in.LogFormat
	}
	if in.MaxAggregationInterval != nil {
		f.FlowLog.MaxAggregationInterval = in.MaxAggregationInterval
	}
	return f
}

// noBucket answers for Amazon S3, of which there are no buckets here.
func noBucket(in *ec2.CreateFlowLogsInput) (items []ec2.UnsuccessfulItem) {
	bucket, _, _ := strings.Cut(strings.TrimPrefix(*in.LogDestination, "arn:aws:s3:::"), "/")
	for _, id := range in.ResourceIds {
		items = append(items, unsuccessful(id, protocol.Errorf("400", "LogDestination: %s does not exist", bucket)))
	}
	return items
}

var flowLogFields = fields[*record.EC2FlowLog]{
	operation: "DescribeFlowLogs",
	names: map[string]func(*record.EC2FlowLog) []string{
		"deliver-log-status":   one(func(f *record.EC2FlowLog) *string { return f.FlowLog.DeliverLogsStatus }),
		"log-destination-type": func(f *record.EC2FlowLog) []string { return []string{string(f.FlowLog.LogDestinationType)} },
		"flow-log-id":          one(func(f *record.EC2FlowLog) *string { return f.FlowLog.FlowLogId }),
		"log-group-name":       one(func(f *record.EC2FlowLog) *string { return f.FlowLog.LogGroupName }),
		"resource-id":          one(func(f *record.EC2FlowLog) *string { return f.FlowLog.ResourceId }),
		"traffic-type":         func(f *record.EC2FlowLog) []string { return []string{string(f.FlowLog.TrafficType)} },
	},
	tags: func(f *record.EC2FlowLog) []ec2.Tag { return f.FlowLog.Tags },
}

// DescribeFlowLogs shows flow logs, and nothing of an id that is not there.
// Source: github.com/getmoto/moto/blob/master/tests/test_ec2/test_flow_logs.py.
func (s *Server) DescribeFlowLogs(ctx context.Context, in *ec2.DescribeFlowLogsInput) (*ec2.DescribeFlowLogsOutput, error) {
	named := func(yield func(*record.EC2FlowLog) bool) {
		for f := range store.EC2FlowLogs.Prefix(s.db.View(), api.CallFrom(ctx).Scope().Key()) {
			if len(in.FlowLogIds) > 0 && !slices.Contains(in.FlowLogIds, *f.FlowLog.FlowLogId) {
				continue
			}
			if !yield(f) {
				return
			}
		}
	}
	found, next, err := describe(named, query{nil, in.Filter, pages.Ask(in, in.NextToken, in.MaxResults)}, flowLogFields,
		func(f *record.EC2FlowLog) string { return *f.FlowLog.FlowLogId }, nil)
	out := &ec2.DescribeFlowLogsOutput{FlowLogs: []ec2.FlowLog{}, NextToken: next}
	for _, f := range found {
		out.FlowLogs = append(out.FlowLogs, f.FlowLog)
	}
	return out, err
}

// DeleteFlowLogs ends flow logs: all of them, or none when one is not there. What they
// have recorded stays.
func (s *Server) DeleteFlowLogs(ctx context.Context, in *ec2.DeleteFlowLogsInput) (*ec2.DeleteFlowLogsOutput, error) {
	return &ec2.DeleteFlowLogsOutput{Unsuccessful: []ec2.UnsuccessfulItem{}}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		var missing []string
		for _, id := range in.FlowLogIds {
			if _, ok := store.EC2FlowLogs.Get(tx, scope.Key(id)); !ok {
				missing = append(missing, id)
			}
			store.EC2FlowLogs.Delete(tx, scope.Key(id))
		}
		if len(missing) > 0 {
			return noFlowLogs(missing...)
		}
		return nil
	})
}

func noFlowLogs(ids ...string) error {
	return protocol.Errorf("InvalidFlowLogId.NotFound", "These flow log ids in the input list are not found: [TotalCount: %d] %s", len(ids), strings.Join(ids, " "))
}
