package plan

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fargo"
	"fargo/aws/ec2"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/record"
)

func flowLogOf(id, resource string) *record.EC2FlowLog {
	return &record.EC2FlowLog{Scope: fargo.Scope{Account: "123456789012", Region: "eu-west-1"}, VPC: "vpc-1", FlowLog: ec2.FlowLog{
		FlowLogId: &id, ResourceId: &resource, TrafficType: ec2.TrafficTypeReject, MaxAggregationInterval: new(int32(60)),
		LogFormat: new("${srcaddr} ${dstaddr}"), LogGroupName: new("/flows"),
	}}
}

func TestFlowLog(t *testing.T) {
	got := FlowLog(flowLogOf("fl-1", "vpc-1"))
	want := desired.FlowLog{
		ID: "fl-1", VPC: "vpc-1", Traffic: desired.FlowRejected, Fields: []string{"srcaddr", "dstaddr"}, Interval: time.Minute,
		Target: desired.LogTarget{Account: "123456789012", Region: "eu-west-1", Group: "/flows", Create: true},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if s := got.Stream("eni-1"); s != "eni-1-reject" {
		t.Errorf("the stream is %s", s)
	}
}

// A flow log of a VPC or a subnet is for every interface in it, that of an interface
// for the one.
func TestLogged(t *testing.T) {
	logs := []*record.EC2FlowLog{
		flowLogOf("fl-vpc", "vpc-1"), flowLogOf("fl-subnet", "subnet-1"), flowLogOf("fl-eni", "eni-1"), flowLogOf("fl-other", "subnet-2"),
	}
	of := func(id, subnet string) *record.EC2NetworkInterface {
		return &record.EC2NetworkInterface{Scope: logs[0].Scope, Interface: ec2.NetworkInterface{
			NetworkInterfaceId: &id, VpcId: new("vpc-1"), SubnetId: &subnet, PrivateIpAddress: new("10.0.0.4"), InterfaceType: "interface",
		}}
	}
	for _, c := range []struct{ id, subnet, want string }{
		{"eni-1", "subnet-1", "fl-eni fl-subnet fl-vpc"},
		{"eni-2", "subnet-1", "fl-subnet fl-vpc"},
		{"eni-3", "subnet-3", "fl-vpc"},
	} {
		l := Logged(LoggedView{Interface: of(c.id, c.subnet), FlowLogs: logs})
		if got := strings.Join(l.FlowLogs, " "); got != c.want {
			t.Errorf("%s in %s has %s, want %s", c.id, c.subnet, got, c.want)
		}
	}
	if l := Logged(LoggedView{Interface: of("eni-3", "subnet-3"), FlowLogs: logs[1:]}); l != nil {
		t.Errorf("logged by %v", l.FlowLogs)
	}
}

func TestLoggedSaysWhatItIsOf(t *testing.T) {
	gateway := &record.EC2NetworkInterface{Scope: flowLogOf("", "").Scope, Interface: ec2.NetworkInterface{
		NetworkInterfaceId: new("eni-1"), VpcId: new("vpc-1"), SubnetId: new("subnet-1"), PrivateIpAddress: new("10.0.0.4"),
		InterfaceType: "nat_gateway", Association: &ec2.NetworkInterfaceAssociation{PublicIp: new("240.0.0.1")},
		Ipv6Addresses: []ec2.NetworkInterfaceIpv6Address{{Ipv6Address: new("2001:db8::4")}},
	}}
	task := &record.Task{
		Scope: gateway.Scope, ID: "0123", Cluster: "main", Service: "web",
		Intent: ecs.Task{TaskDefinitionArn: new("arn:aws:ecs:eu-west-1:123456789012:task-definition/web:1")},
	}
	got := Logged(LoggedView{
		Interface: gateway, FlowLogs: []*record.EC2FlowLog{flowLogOf("fl-1", "vpc-1")}, Task: task,
		Subnet: &record.EC2Subnet{Subnet: ec2.Subnet{AvailabilityZoneId: new("euw1-az1")}},
	})
	want := &desired.LoggedInterface{
		ID: "eni-1", FlowLogs: []string{"fl-1"}, VPC: "vpc-1", Subnet: "subnet-1", Account: "123456789012", ZoneID: "euw1-az1",
		Type: "nat_gateway", Address: netip.MustParseAddr("10.0.0.4"), IPv6: []netip.Addr{netip.MustParseAddr("2001:db8::4")},
		Public: netip.MustParseAddr("240.0.0.1"),
		Task: &desired.LoggedTask{
			ARN: "arn:aws:ecs:eu-west-1:123456789012:task/main/0123", Cluster: "arn:aws:ecs:eu-west-1:123456789012:cluster/main",
			Service: "web", Definition: "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:1",
		},
	}
	if d := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); d != "" {
		t.Error(d)
	}
}

func TestFlowLogFields(t *testing.T) {
	for format, want := range map[string]string{
		"${srcaddr}": "srcaddr", "${a} ${b}": "a b", "srcaddr": "", "${a}  ${b}": "", "${a} ": "", "": "", "${a},${b}": "a},${b",
	} {
		if got := strings.Join(FlowLogFields(format), " "); got != want {
			t.Errorf("%q has %q, want %q", format, got, want)
		}
	}
}
