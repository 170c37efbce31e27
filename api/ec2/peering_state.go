package ec2

import (
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/aws/ec2"
	"fargo/record"
	"fargo/store"
)

// How long a connection that has ended is shown: to the side that ended it, and to the
// other. Source: VPC peering guide, "VPC peering connection lifecycle".
const (
	shownToOne   = 2 * time.Hour
	shownToOther = 48 * time.Hour
)

func peeringStatus(code ec2.VpcPeeringConnectionStateReasonCode, message string) *ec2.VpcPeeringConnectionStateReason {
	return &ec2.VpcPeeringConnectionStateReason{Code: code, Message: &message}
}

func setPeeringStatus(p *record.EC2Peering, code ec2.VpcPeeringConnectionStateReasonCode, message string) {
	p.Connection.Status = peeringStatus(code, message)
}

func endPeering(p *record.EC2Peering, code ec2.VpcPeeringConnectionStateReasonCode, message string, now time.Time) {
	setPeeringStatus(p, code, message)
	p.EndedAt = now
}

// statusOf is the state of a connection now: a request that nobody accepted in time has
// expired.
func statusOf(p *record.EC2Peering, now time.Time) *ec2.VpcPeeringConnectionStateReason {
	status := p.Connection.Status
	if status.Code == ec2.VpcPeeringConnectionStateReasonCodePendingAcceptance && !now.Before(*p.Connection.ExpirationTime) {
		return peeringStatus(ec2.VpcPeeringConnectionStateReasonCodeExpired, "Expired")
	}
	return status
}

// pending reports whether a request can be accepted.
func pending(p *record.EC2Peering, now time.Time) bool {
	return statusOf(p, now).Code == ec2.VpcPeeringConnectionStateReasonCodePendingAcceptance
}

// endedAt is when a connection ended, by a call or because it expired.
func endedAt(p *record.EC2Peering, now time.Time) time.Time {
	if statusOf(p, now).Code == ec2.VpcPeeringConnectionStateReasonCodeExpired {
		return *p.Connection.ExpirationTime
	}
	return p.EndedAt
}

// visible reports whether a scope sees a connection: one of its VPCs has it, and it has
// not ended long ago. A failed request is shown only to who made it.
func visible(p *record.EC2Peering, scope fargo.Scope, now time.Time) bool {
	status, ended := statusOf(p, now), endedAt(p, now)
	if scope != p.Scope && (scope != p.Accepter() || status.Code == ec2.VpcPeeringConnectionStateReasonCodeFailed) {
		return false
	}
	period := shownToOther
	if status.Code == ec2.VpcPeeringConnectionStateReasonCodeFailed || strings.HasSuffix(*status.Message, " by "+scope.Account) {
		period = shownToOne
	}
	return ended.IsZero() || now.Before(ended.Add(period))
}

// forgetPeerings drops the connections that nobody sees any more.
func forgetPeerings(tx *store.Tx, scope fargo.Scope, now time.Time) {
	for p := range store.EC2Peerings.Prefix(tx, scope.Key()) {
		if ended := endedAt(p, now); !ended.IsZero() && now.After(ended.Add(shownToOther)) {
			store.EC2Peerings.Delete(tx, p.Key())
		}
	}
}

// peeringTags are where the tags of a side are.
func peeringTags(p *record.EC2Peering, scope fargo.Scope) *[]ec2.Tag {
	if scope == p.Scope {
		return &p.Connection.Tags
	}
	return &p.AccepterTags
}

// peeringView is a connection as a scope sees it, with the address ranges that its VPCs
// have now. Those of the accepter are shown while it is active.
func peeringView(r store.Reader, p *record.EC2Peering, scope fargo.Scope, now time.Time) ec2.VpcPeeringConnection {
	v := p.Connection
	v.Status = statusOf(p, now)
	if v.Tags = *peeringTags(p, scope); v.Tags == nil {
		v.Tags = []ec2.Tag{}
	}
	requester, accepter := *v.RequesterVpcInfo, *v.AccepterVpcInfo
	showBlocks(r, p.Scope, &requester)
	if p.Active() {
		showBlocks(r, p.Accepter(), &accepter)
		v.ExpirationTime = nil
	}
	v.RequesterVpcInfo, v.AccepterVpcInfo = &requester, &accepter
	return v
}

func showBlocks(r store.Reader, scope fargo.Scope, i *ec2.VpcPeeringConnectionVpcInfo) {
	v, ok := store.EC2VPCs.Get(r, scope.Key(*i.VpcId))
	if !ok {
		return
	}
	i.CidrBlock = v.VPC.CidrBlock
	for _, c := range v.CIDRs() {
		i.CidrBlockSet = append(i.CidrBlockSet, ec2.CidrBlock{CidrBlock: new(c.String())})
	}
	for _, c := range v.CIDRs6() {
		i.Ipv6CidrBlockSet = append(i.Ipv6CidrBlockSet, ec2.Ipv6CidrBlock{Ipv6CidrBlock: new(c.String())})
	}
}

// peeringViews are the connections that a scope sees, by id.
func peeringViews(r store.Reader, scope fargo.Scope, now time.Time) []ec2.VpcPeeringConnection {
	var all []ec2.VpcPeeringConnection
	for p := range store.EC2Peerings.All(r) {
		if visible(p, scope, now) {
			all = append(all, peeringView(r, p, scope, now))
		}
	}
	slices.SortFunc(all, func(a, b ec2.VpcPeeringConnection) int {
		return strings.Compare(*a.VpcPeeringConnectionId, *b.VpcPeeringConnectionId)
	})
	return all
}

var peeringFields = fields[ec2.VpcPeeringConnection]{
	operation: "DescribeVpcPeeringConnections",
	names: map[string]func(ec2.VpcPeeringConnection) []string{
		"vpc-peering-connection-id": one(func(p ec2.VpcPeeringConnection) *string { return p.VpcPeeringConnectionId }),

		"accepter-vpc-info.cidr-block":  one(func(p ec2.VpcPeeringConnection) *string { return p.AccepterVpcInfo.CidrBlock }),
		"accepter-vpc-info.owner-id":    one(func(p ec2.VpcPeeringConnection) *string { return p.AccepterVpcInfo.OwnerId }),
		"accepter-vpc-info.vpc-id":      one(func(p ec2.VpcPeeringConnection) *string { return p.AccepterVpcInfo.VpcId }),
		"requester-vpc-info.cidr-block": one(func(p ec2.VpcPeeringConnection) *string { return p.RequesterVpcInfo.CidrBlock }),
		"requester-vpc-info.owner-id":   one(func(p ec2.VpcPeeringConnection) *string { return p.RequesterVpcInfo.OwnerId }),
		"requester-vpc-info.vpc-id":     one(func(p ec2.VpcPeeringConnection) *string { return p.RequesterVpcInfo.VpcId }),

		"status-code":    func(p ec2.VpcPeeringConnection) []string { return []string{string(p.Status.Code)} },
		"status-message": one(func(p ec2.VpcPeeringConnection) *string { return p.Status.Message }),
		"expiration-time": one(func(p ec2.VpcPeeringConnection) *string {
			if p.ExpirationTime == nil {
				return nil
			}
			return new(p.ExpirationTime.UTC().Format("2006-01-02T15:04:05.000Z"))
		}),
	},
	tags: func(p ec2.VpcPeeringConnection) []ec2.Tag { return p.Tags },
}
