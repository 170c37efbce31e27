package plan

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"fargo/aws"
	"fargo/desired"
	"fargo/record"
)

// FlowLog is a flow log as nodes write it. The service makes its log group, should it
// not be there. Source: VPC user guide, "Publish flow logs to CloudWatch Logs".
func FlowLog(f *record.EC2FlowLog) desired.FlowLog {
	return desired.FlowLog{
		ID: *f.FlowLog.FlowLogId, VPC: f.VPC,
		Traffic:  desired.FlowTraffic(f.FlowLog.TrafficType),
		Fields:   FlowLogFields(*f.FlowLog.LogFormat),
		Interval: time.Duration(*f.FlowLog.MaxAggregationInterval) * time.Second,
		Target: desired.LogTarget{
			Account: f.Scope.Account, Region: f.Scope.Region, Group: aws.Value(f.FlowLog.LogGroupName), Create: true,
		},
	}
}

// FlowLogFields are the names of the fields in a format: "${srcaddr} ${dstaddr}". It is
// nil for what is no format.
func FlowLogFields(format string) (names []string) {
	for _, word := range strings.Split(format, " ") {
		name, opened := strings.CutPrefix(word, "${")
		name, closed := strings.CutSuffix(name, "}")
		if !opened || !closed {
			return nil
		}
		names = append(names, name)
	}
	return names
}

// LoggedView is what decides how an interface's traffic is logged.
type LoggedView struct {
	Interface *record.EC2NetworkInterface
	Subnet    *record.EC2Subnet    // that it is in; nil when that is gone
	FlowLogs  []*record.EC2FlowLog // of its VPC
	Task      *record.Task         // that it is attached to, if any
}

// Logged is an interface as nodes log its traffic; nil when no flow log is for it.
func Logged(v LoggedView) *desired.LoggedInterface {
	i := &v.Interface.Interface
	var ids []string
	for _, f := range v.FlowLogs {
		if slices.Contains([]string{*i.VpcId, *i.SubnetId, *i.NetworkInterfaceId}, *f.FlowLog.ResourceId) {
			ids = append(ids, *f.FlowLog.FlowLogId)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	l := &desired.LoggedInterface{
		ID: *i.NetworkInterfaceId, FlowLogs: ids, VPC: *i.VpcId, Subnet: *i.SubnetId,
		Account: v.Interface.Scope.Account, Type: string(i.InterfaceType), Task: loggedTask(v.Task),
	}
	if v.Subnet != nil {
		l.ZoneID = aws.Value(v.Subnet.Subnet.AvailabilityZoneId)
	}
	l.Address, _ = netip.ParseAddr(aws.Value(i.PrivateIpAddress))
	for _, a := range i.Ipv6Addresses {
		if addr, err := netip.ParseAddr(aws.Value(a.Ipv6Address)); err == nil {
			l.IPv6 = append(l.IPv6, addr)
		}
	}
	if l.NATGateway() && i.Association != nil {
		l.Public, _ = netip.ParseAddr(aws.Value(i.Association.PublicIp))
	}
	return l
}

func loggedTask(t *record.Task) *desired.LoggedTask {
	if t == nil {
		return nil
	}
	return &desired.LoggedTask{
		ARN: t.ARN(), Cluster: t.Scope.ARN("ecs", "cluster/"+t.Cluster), Service: t.Service,
		Definition: aws.Value(t.Intent.TaskDefinitionArn),
	}
}
