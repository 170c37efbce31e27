package plan

import (
	"net/netip"
	"slices"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/elbv2"
	"fargo/desired"
	"fargo/record"
)

// anyZone is the zone of a target outside of its group's VPC.
// Source: ELBv2 API, TargetDescription.
const anyZone = "all"

// TargetHealth is what the world is shown of a target. zones are those that the
// load balancer of its group is enabled in; none means that the group is in no
// use.
// Source: ELBv2 API, TargetHealth.
func TargetHealth(t *record.ELBTarget, zones []string) elbv2.TargetHealth {
	if !t.DrainingSince.IsZero() {
		return health(elbv2.TargetHealthStateEnumDraining, elbv2.TargetHealthReasonEnumTargetDeregistrationInProgress, "Target deregistration is in progress")
	}
	if h, unused := unusedTarget(t, zones); unused {
		return h
	}
	if t.Health != nil {
		return *t.Health
	}
	return health(elbv2.TargetHealthStateEnumInitial, elbv2.TargetHealthReasonEnumElbRegistrationInProgress, "Target registration is in progress")
}

// NotRegistered is what the world is shown of a target that does not exist.
func NotRegistered() elbv2.TargetHealth {
	return health(elbv2.TargetHealthStateEnumUnused, elbv2.TargetHealthReasonEnumTargetNotRegistered, "Target is not registered to the target group")
}

// unusedTarget says why a target gets no requests and no checks, if so.
func unusedTarget(t *record.ELBTarget, zones []string) (h elbv2.TargetHealth, unused bool) {
	const state, notInUse = elbv2.TargetHealthStateEnumUnused, elbv2.TargetHealthReasonEnumTargetNotInUse
	switch {
	case len(zones) == 0:
		return health(state, notInUse, "Target group is not configured to receive traffic from the load balancer"), true
	case t.Zone != "" && t.Zone != anyZone && !slices.Contains(zones, t.Zone):
		return health(state, notInUse, "Target is in an Availability Zone that is not enabled for the load balancer"), true
	}
	return elbv2.TargetHealth{}, false
}

func health(state elbv2.TargetHealthStateEnum, reason elbv2.TargetHealthReasonEnum, description string) elbv2.TargetHealth {
	return elbv2.TargetHealth{State: state, Reason: reason, Description: &description}
}

// Reported is target t with the health that a node reports. zones are those of
// TargetHealth. ok is false when the report is about an earlier target with the same
// address, or one that is not checked, or changes nothing: a node that has only begun
// to check does not replace what another has found.
func Reported(t *record.ELBTarget, zones []string, r *desired.TargetReport) (next *record.ELBTarget, ok bool) {
	if _, unused := unusedTarget(t, zones); unused || !t.RegisteredAt.Equal(r.RegisteredAt) || !t.DrainingSince.IsZero() {
		return nil, false
	}
	if t.Health != nil && r.State == string(elbv2.TargetHealthStateEnumInitial) {
		return nil, false
	}
	h := &elbv2.TargetHealth{
		State: elbv2.TargetHealthStateEnum(r.State), Reason: elbv2.TargetHealthReasonEnum(r.Reason), Description: aws.NonZero(r.Description),
	}
	if old := t.Health; old != nil && old.State == h.State && old.Reason == h.Reason && aws.Value(old.Description) == r.Description {
		return nil, false
	}
	c := *t
	c.Health = h
	return &c, true
}

// CrossesZones reports whether the nodes of a load balancer use a group's targets
// in all zones, and not only those in their own. The group's attribute overrides
// the load balancer's.
// Source: ELB user guides, "Cross-zone load balancing for target groups".
func CrossesZones(lb *record.ELBLoadBalancer, g *record.ELBTargetGroup) bool {
	switch g.Attributes[crossZone] {
	case "true":
		return true
	case "false":
		return false
	}
	return lb.LoadBalancer.Type == elbv2.LoadBalancerTypeEnumApplication || lb.Attributes[crossZone] == "true"
}

const crossZone = "load_balancing.cross_zone.enabled"

// TargetAction is what the control plane should do next for a target.
type TargetAction int

// The actions, and when they are due.
const (
	TargetWait   TargetAction = iota
	TargetDelete              // drained, or its group is gone: delete it
	TargetReset               // it is in no use: nobody checks it any more
)

// NextTargetAction decides what a target needs. g is nil when its group is
// gone. zones are those of TargetHealth: a target that its load balancer does not use
// has nothing to drain. When it answers TargetWait with a time, the target should be
// looked at again then.
// Source: ELB user guide, "Deregistration delay".
func NextTargetAction(t *record.ELBTarget, g *record.ELBTargetGroup, zones []string, pace fargo.Pace, now time.Time) (TargetAction, time.Time) {
	_, unused := unusedTarget(t, zones)
	switch {
	case g == nil:
		return TargetDelete, time.Time{}
	case !t.DrainingSince.IsZero():
		end := t.DrainingSince.Add(pace.Of(g.DeregistrationDelay()))
		if !unused && now.Before(end) {
			return TargetWait, end
		}
		return TargetDelete, time.Time{}
	case unused && t.Health != nil:
		return TargetReset, time.Time{}
	}
	return TargetWait, time.Time{}
}

// balancerTargets are those of a group that a node must check and use, in order
// of address.
func balancerTargets(targets []*record.ELBTarget, zones []string) []desired.BalancerTarget {
	var out []desired.BalancerTarget
	for _, t := range targets {
		if _, unused := unusedTarget(t, zones); unused {
			continue
		}
		addr, err := netip.ParseAddr(t.ID)
		if err != nil {
			continue // the API lets no such target in
		}
		out = append(out, desired.BalancerTarget{
			ID: t.ID, Port: t.Port, Address: netip.AddrPortFrom(addr, uint16(t.Port)), Zone: t.Zone,
			RegisteredAt: t.RegisteredAt.Round(0).UTC(), Draining: !t.DrainingSince.IsZero(),
		})
	}
	slices.SortFunc(out, func(a, b desired.BalancerTarget) int { return a.Address.Compare(b.Address) })
	return out
}
