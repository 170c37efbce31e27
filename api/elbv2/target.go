package elbv2

import (
	"context"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/elbv2"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// maxTargets is how many targets a group may have.
// Source: ELB user guide, "Quotas for your Application Load Balancers".
const maxTargets = 1000

// RegisterTargets adds targets to a group. A target that is there stays as it
// is; one that is draining begins anew.
func (s *Server) RegisterTargets(ctx context.Context, in *elbv2.RegisterTargetsInput) (*elbv2.RegisterTargetsOutput, error) {
	return &elbv2.RegisterTargetsOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		g, err := targetGroup(tx, scope, *in.TargetGroupArn)
		if err != nil {
			return err
		}
		if g.TargetGroup.TargetType == elbv2.TargetTypeEnumInstance && len(in.Targets) > 0 {
			return noInstances(in.Targets)
		}
		for _, d := range in.Targets {
			t, err := newTarget(tx, g, d)
			if err != nil {
				return err
			}
			if old, ok := store.ELBTargets.Get(tx, t.Key()); ok && old.DrainingSince.IsZero() {
				continue
			}
			t.RegisteredAt = now
			store.ELBTargets.Put(tx, t)
		}
		n := 0
		for range store.ELBTargets.By(tx, store.TargetByGroup, g.Key()) {
			n++
		}
		if n > maxTargets {
			return elbv2.TooManyTargetsException("The maximum number of targets per target group '%d' has been reached on target group '%s'", maxTargets, g.Key())
		}
		return checkZones(tx, g)
	})
}

// noInstances refuses instances: no machine here is an instance of EC2. A group
// may be for them all the same, as that is what groups are by default.
func noInstances(targets []elbv2.TargetDescription) error {
	quoted := make([]string, len(targets))
	for i, t := range targets {
		if !instanceID.MatchString(*t.Id) {
			return invalid("Instance ID '%s' is not valid", *t.Id)
		}
		quoted[i] = "'" + *t.Id + "'"
	}
	return elbv2.InvalidTargetException("The following instances do not exist: %s", strings.Join(quoted, ", "))
}

var instanceID = regexp.MustCompile(`^i-[0-9a-f]{8}([0-9a-f]{9})?$`)

// newTarget is a target of group g, which is of addresses, as a description
// means it.
func newTarget(r store.Reader, g *record.ELBTargetGroup, d elbv2.TargetDescription) (*record.ELBTarget, error) {
	if err := refuse(gap{"QuicServerId", d.QuicServerId != nil}); err != nil {
		return nil, err
	}
	addr, err := netip.ParseAddr(*d.Id)
	switch {
	case !g.IPv6() && (err != nil || !addr.Is4()):
		return nil, invalid("The IP address '%s' is not a valid IPv4 address", *d.Id)
	case g.IPv6() && (err != nil || !addr.Is6() || addr.Is4In6() || addr.Zone() != ""):
		return nil, invalid("The IP address '%s' is not a valid IPv6 address", *d.Id)
	}
	t := &record.ELBTarget{Group: g.Key(), ID: targetID(d), Port: portOf(g, d), Zone: aws.Value(d.AvailabilityZone)}
	t.Zone, err = targetZone(r, *g.TargetGroup.VpcId, addr, t.Zone)
	return t, err
}

// targetID is the id of the target that a description means: an IPv6 address may be
// written in several ways.
func targetID(d elbv2.TargetDescription) string {
	if a, err := netip.ParseAddr(*d.Id); err == nil {
		return a.String()
	}
	return *d.Id
}

// targetZone is the zone of a target: of the subnet it is in, or outside of the
// VPC the one that is asked for.
// Source: ELBv2 API, TargetDescription.
func targetZone(r store.Reader, vpc string, addr netip.Addr, asked string) (string, error) {
	home := zoneOf(r, vpc, addr)
	switch {
	case home != "" && (asked == "" || asked == home):
		return home, nil
	case home != "":
		return "", invalid("The IP address '%s' is within the VPC, and cannot have its Availability Zone overridden to '%s' from '%s'", addr, asked, home)
	case addr.Is6():
		return "", invalid("The IP address '%s' is not allowed, as it must be an address from a VPC subnet", addr)
	case !outsideAllowed(addr):
		return "", invalid("The IP address '%s' is not allowed, as it must be an address from a VPC subnet, RFC1918, or RFC6598", addr)
	case asked == "":
		return "", invalid("The Availability Zone is required for IP address '%s' because it is not in the VPC", addr)
	case asked != everyZone && !hasZone(r, vpc, asked):
		return "", invalid("The Availability Zone '%s' must be 'all' or one that the VPC '%s' has a subnet in", asked, vpc)
	}
	return asked, nil
}

// everyZone is the zone of a target that is in none.
const everyZone = "all"

// portOf is the port a description means: the group's when it names none.
func portOf(g *record.ELBTargetGroup, d elbv2.TargetDescription) int {
	if d.Port != nil {
		return int(*d.Port)
	}
	return int(aws.Value(g.TargetGroup.Port))
}

// zoneOf is the zone of the subnet an address is in, "" when there is none.
func zoneOf(r store.Reader, vpc string, addr netip.Addr) string {
	for s := range store.EC2Subnets.By(r, store.ByVPC, vpc) {
		if slices.ContainsFunc(s.Prefixes(), func(p netip.Prefix) bool { return p.Contains(addr) }) {
			return aws.Value(s.Subnet.AvailabilityZone)
		}
	}
	return ""
}

// hasZone reports whether a VPC has a subnet in a zone.
func hasZone(r store.Reader, vpc, zone string) bool {
	for s := range store.EC2Subnets.By(r, store.ByVPC, vpc) {
		if aws.Value(s.Subnet.AvailabilityZone) == zone {
			return true
		}
	}
	return false
}

var sharedRange = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598

// outsideAllowed reports whether an address outside of a group's VPC may be a
// target. Source: ELB user guide, "Target type".
func outsideAllowed(addr netip.Addr) bool { return addr.IsPrivate() || sharedRange.Contains(addr) }

// DeregisterTargets begins to drain targets. One that is not there, or drains
// already, is left alone.
func (s *Server) DeregisterTargets(ctx context.Context, in *elbv2.DeregisterTargetsInput) (*elbv2.DeregisterTargetsOutput, error) {
	return &elbv2.DeregisterTargetsOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		g, err := targetGroup(tx, scope, *in.TargetGroupArn)
		if err != nil {
			return err
		}
		for _, d := range in.Targets {
			t, ok := store.ELBTargets.Get(tx, fargo.TargetKey(g.Key(), targetID(d), portOf(g, d)))
			if !ok || !t.DrainingSince.IsZero() {
				continue
			}
			c := *t
			c.DrainingSince = now
			store.ELBTargets.Put(tx, &c)
		}
		return nil
	})
}

// DescribeTargetHealth shows the health of a group's targets: of all, or of
// those asked for, registered or not.
func (s *Server) DescribeTargetHealth(ctx context.Context, in *elbv2.DescribeTargetHealthInput) (*elbv2.DescribeTargetHealthOutput, error) {
	r, scope := s.view(ctx)
	g, err := targetGroup(r, scope, *in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	h := healthOf{g: g, zones: store.ZonesOfGroup(r, g.Key()), anomalies: len(in.Include) > 0 && speaksHTTP(g.TargetGroup.Protocol)}
	out := &elbv2.DescribeTargetHealthOutput{TargetHealthDescriptions: []elbv2.TargetHealthDescription{}}
	if len(in.Targets) == 0 {
		for t := range store.ELBTargets.By(r, store.TargetByGroup, g.Key()) {
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, h.describe(t))
		}
		return out, nil
	}
	for _, d := range in.Targets {
		port := portOf(g, d)
		if t, ok := store.ELBTargets.Get(r, fargo.TargetKey(g.Key(), targetID(d), port)); ok {
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, h.describe(t))
			continue
		}
		out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, elbv2.TargetHealthDescription{
			Target: &elbv2.TargetDescription{Id: d.Id, Port: new(int32(port))}, HealthCheckPort: new(h.checkPort(port)), TargetHealth: new(plan.NotRegistered()),
		})
	}
	return out, nil
}

// healthOf describes the targets of one group.
type healthOf struct {
	g         *record.ELBTargetGroup
	zones     []string
	anomalies bool
}

// checkPort is where a target with a port is checked, registered or not.
func (h healthOf) checkPort(port int) string {
	if p := aws.Value(h.g.TargetGroup.HealthCheckPort); p != "traffic-port" {
		return p
	}
	return strconv.Itoa(port)
}

func (h healthOf) describe(t *record.ELBTarget) elbv2.TargetHealthDescription {
	d := elbv2.TargetHealthDescription{
		Target: &elbv2.TargetDescription{Id: &t.ID, Port: new(int32(t.Port))}, HealthCheckPort: new(h.checkPort(t.Port)),
		TargetHealth: new(plan.TargetHealth(t, h.zones)),
		AdministrativeOverride: &elbv2.AdministrativeOverride{
			State:       elbv2.TargetAdministrativeOverrideStateEnumNoOverride,
			Reason:      elbv2.TargetAdministrativeOverrideReasonEnumAdministrativeOverrideNoOverride,
			Description: new("No override is currently active on target"),
		},
	}
	if t.Zone != "" {
		d.Target.AvailabilityZone = &t.Zone
	}
	if h.anomalies {
		d.AnomalyDetection = &elbv2.AnomalyDetection{Result: elbv2.AnomalyResultEnumNormal, MitigationInEffect: elbv2.MitigationInEffectEnumNo}
	}
	return d
}
