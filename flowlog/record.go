package flowlog

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"fargo"
	"fargo/desired"
)

// status is the logging status of a record.
type status string

// The statuses. Source: VPC user guide, "Flow log records".
const (
	statusOK       status = "OK"
	statusNoData   status = "NODATA"
	statusSkipData status = "SKIPDATA"
)

// A record is a line of a flow log.
type record struct {
	log    *desired.FlowLog
	of     *desired.LoggedInterface
	status status
	// key and tally are those of a connection; without one only the times are set.
	key
	tally
	path string // traffic-path
}

// String writes the fields of the flow log, with - for what is not applicable or not known.
func (r *record) String() string {
	words := make([]string, len(r.log.Fields))
	for i, name := range r.log.Fields {
		words[i] = r.field(name)
		if words[i] == "" {
			words[i] = "-"
		}
	}
	return strings.Join(words, " ")
}

func (r *record) field(name string) string {
	switch name {
	case "version":
		return strconv.Itoa(version(r.log.Fields))
	case "account-id":
		return r.of.Account
	case "interface-id":
		return r.of.ID
	case "start":
		return seconds(r.start)
	case "end":
		return seconds(r.end)
	case "log-status":
		return string(r.status)
	case "vpc-id":
		return r.of.VPC
	case "subnet-id":
		return r.of.Subnet
	case "region":
		return r.log.Target.Region
	case "az-id":
		return r.of.ZoneID
	case "interface-type":
		return r.of.Type
	}
	if strings.HasPrefix(name, "ecs-") {
		return taskField(r.of.Task, name)
	}
	if r.status != statusOK {
		return ""
	}
	return r.trafficField(name)
}

// trafficField is a field of a connection.
func (r *record) trafficField(name string) string {
	switch name {
	case "srcaddr":
		return r.tuple.Source.Addr().String()
	case "dstaddr":
		return r.tuple.Destination.Addr().String()
	case "srcport":
		return strconv.Itoa(int(r.tuple.Source.Port()))
	case "dstport":
		return strconv.Itoa(int(r.tuple.Destination.Port()))
	case "pkt-srcaddr":
		return either(r.packet.source, r.tuple.Source.Addr())
	case "pkt-dstaddr":
		return either(r.packet.destination, r.tuple.Destination.Addr())
	case "protocol":
		return strconv.Itoa(int(r.protocol))
	case "packets":
		return strconv.FormatUint(r.Packets, 10)
	case "bytes":
		return strconv.FormatUint(r.Bytes, 10)
	case "action":
		if r.rejected {
			return string(desired.FlowRejected)
		}
		return string(desired.FlowAccepted)
	case "tcp-flags":
		return r.tcpFlags()
	case "type":
		if r.tuple.Source.Addr().Is4() {
			return "IPv4"
		}
		return "IPv6"
	case "flow-direction":
		if r.inbound {
			return "ingress"
		}
		return "egress"
	case "traffic-path":
		return r.path
	}
	return ""
}

// The flags of TCP that records show. Source: VPC user guide, "Flow log records".
const shownFlags = 1 | 2 | 4 | 18

// tcpFlags are known of rejected packets only: the connection tracker does not tell those
// of the others.
func (r *record) tcpFlags() string {
	switch {
	case r.protocol != 6:
		return "0"
	case r.rejected:
		return strconv.Itoa(int(r.flags & shownFlags))
	}
	return ""
}

func either(a, b netip.Addr) string {
	if a.IsValid() {
		return a.String()
	}
	return b.String()
}

func seconds(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// version is the highest of the fields', and never less than the first.
func version(fields []string) int {
	highest := 2
	for _, name := range fields {
		highest = max(highest, desired.FlowFields[name])
	}
	return highest
}

// taskField is a field of the task that the interface is attached to.
func taskField(t *desired.LoggedTask, name string) string {
	if t == nil {
		return ""
	}
	switch name {
	case "ecs-cluster-arn":
		return t.Cluster
	case "ecs-cluster-name":
		return lastOf(t.Cluster)
	case "ecs-service-name":
		return t.Service
	case "ecs-task-definition-arn":
		return t.Definition
	case "ecs-task-arn":
		return t.ARN
	case "ecs-task-id":
		return lastOf(t.ARN)
	}
	return ""
}

func lastOf(arn string) string {
	a, _ := fargo.ParseARN(arn)
	return a.Name()
}
