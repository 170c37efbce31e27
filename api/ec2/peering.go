package ec2

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

// Bounds of peering connections. Source: VPC user guide, "Amazon VPC quotas".
const (
	maxPeerings     = 50 // active, of a VPC
	maxOutstanding  = 25 // requests of an account in a region
	peeringLifetime = 7 * 24 * time.Hour
)

var noPeering = noSuch("pcx")

// findPeering gives a connection that one of the two VPCs in a scope has.
func findPeering(r store.Reader, scope fargo.Scope, id string, now time.Time) (*record.EC2Peering, error) {
	for p := range store.EC2Peerings.By(r, store.PeeringByID, id) {
		if visible(p, scope, now) {
			return p, nil
		}
	}
	return nil, noPeering(id)
}

// otherVPC is the VPC at the other end from vpc, nil when it is gone.
func otherVPC(r store.Reader, p *record.EC2Peering, vpc string) *record.EC2VPC {
	other, scope := p.Other(vpc), p.Scope
	if other == *p.Connection.AccepterVpcInfo.VpcId {
		scope = p.Accepter()
	}
	v, _ := store.EC2VPCs.Get(r, scope.Key(other))
	return v
}

// vpcInfo is what a connection keeps of a VPC. Options are known of one's own, and of the
// other when the connection is active.
func vpcInfo(scope fargo.Scope, vpc string, options bool) *ec2.VpcPeeringConnectionVpcInfo {
	i := &ec2.VpcPeeringConnectionVpcInfo{VpcId: &vpc, OwnerId: &scope.Account, Region: &scope.Region}
	if options {
		i.PeeringOptions = &ec2.VpcPeeringConnectionOptionsDescription{
			AllowDnsResolutionFromRemoteVpc: new(false), AllowEgressFromLocalClassicLinkToRemoteVpc: new(false), AllowEgressFromLocalVpcToRemoteClassicLink: new(false),
		}
	}
	return i
}

// CreateVpcPeeringConnection asks for a connection of two VPCs. Asking again gives the
// one there is.
func (s *Server) CreateVpcPeeringConnection(ctx context.Context, in *ec2.CreateVpcPeeringConnectionInput) (*ec2.CreateVpcPeeringConnectionOutput, error) {
	tags, err := requestTags(in.TagSpecifications, ec2.ResourceTypeVpcPeeringConnection)
	switch {
	case err != nil:
		return nil, err
	case in.VpcId == nil:
		return nil, missingParameter("vpcId")
	case in.PeerVpcId == nil:
		return nil, missingParameter("peerVpcId")
	}
	var view ec2.VpcPeeringConnection
	err = s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		peer := scope
		if in.PeerOwnerId != nil {
			peer.Account = *in.PeerOwnerId
		}
		if in.PeerRegion != nil {
			peer.Region = *in.PeerRegion
		}
		own, err := findVPC(tx, scope, *in.VpcId)
		if err != nil {
			return err
		}
		if old := requested(tx, *in.VpcId, *in.PeerVpcId, now); old != nil {
			view = peeringView(tx, old, scope, now)
			return nil
		}
		other, known := store.EC2VPCs.Get(tx, peer.Key(*in.PeerVpcId))
		switch {
		case *in.PeerVpcId == *in.VpcId:
			return badValue("The VPC %s cannot be peered with itself.", *in.VpcId)
		case !known && peer == scope:
			return noVPC(*in.PeerVpcId)
		}
		if err := checkPeeringQuota(tx, scope, *in.VpcId, now); err != nil {
			return err
		}
		p := &record.EC2Peering{Scope: scope, Connection: ec2.VpcPeeringConnection{
			VpcPeeringConnectionId: new(fargo.NewEC2ID("pcx")), Tags: aws.List(tags), ExpirationTime: new(now.Add(peeringLifetime)),
			RequesterVpcInfo: vpcInfo(scope, *in.VpcId, true), AccepterVpcInfo: vpcInfo(peer, *in.PeerVpcId, false),
		}}
		if known && !overlap(own, other) {
			setPeeringStatus(p, ec2.VpcPeeringConnectionStateReasonCodePendingAcceptance, "Pending Acceptance by "+peer.Account)
		} else {
			endPeering(p, ec2.VpcPeeringConnectionStateReasonCodeFailed, "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range", now)
		}
		store.EC2Peerings.Put(tx, p)
		forgetPeerings(tx, scope, now)
		view = peeringView(tx, p, scope, now)
		view.Status = peeringStatus(ec2.VpcPeeringConnectionStateReasonCodeInitiatingRequest, "Initiating Request to "+peer.Account)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ec2.CreateVpcPeeringConnectionOutput{VpcPeeringConnection: &view}, nil
}

// requested is the connection that one VPC asked another for, nil for none.
func requested(r store.Reader, vpc, peer string, now time.Time) *record.EC2Peering {
	for p := range store.EC2Peerings.By(r, store.ByVPC, vpc) {
		if *p.Connection.RequesterVpcInfo.VpcId == vpc && p.Other(vpc) == peer && (p.Active() || pending(p, now)) {
			return p
		}
	}
	return nil
}

func checkPeeringQuota(r store.Reader, scope fargo.Scope, vpc string, now time.Time) error {
	outstanding := 0
	for p := range store.EC2Peerings.Prefix(r, scope.Key()) {
		if pending(p, now) {
			outstanding++
		}
	}
	if outstanding >= maxOutstanding {
		return protocol.Errorf("OutstandingVpcPeeringConnectionLimitExceeded", "The maximum number of outstanding VPC peering connection requests has been reached.")
	}
	return checkActivePeerings(r, vpc)
}

func checkActivePeerings(r store.Reader, vpc string) error {
	active := 0
	for p := range store.EC2Peerings.By(r, store.ByVPC, vpc) {
		if p.Active() {
			active++
		}
	}
	if active >= maxPeerings {
		return protocol.Errorf("VpcPeeringConnectionsPerVpcLimitExceeded", "The maximum number of VPC peering connections of %s has been reached.", vpc)
	}
	return nil
}

// overlap reports whether two VPCs have addresses in common.
func overlap(a, b *record.EC2VPC) bool {
	theirs := slices.Concat(b.CIDRs(), b.CIDRs6())
	for _, own := range slices.Concat(a.CIDRs(), a.CIDRs6()) {
		if slices.ContainsFunc(theirs, own.Overlaps) {
			return true
		}
	}
	return false
}

// changePeering commits what change makes of a copy of a connection.
func (s *Server) changePeering(ctx context.Context, id string, change func(tx *store.Tx, scope fargo.Scope, p *record.EC2Peering, now time.Time) error) error {
	return s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		found, err := findPeering(tx, scope, id, now)
		if err != nil {
			return err
		}
		p := *found
		if err := change(tx, scope, &p, now); err != nil {
			return err
		}
		store.EC2Peerings.Put(tx, &p)
		return nil
	})
}

// decides refuses who may not accept or reject a request.
func decides(p *record.EC2Peering, scope fargo.Scope, verb, allowed string) error {
	id, accepter := *p.Connection.VpcPeeringConnectionId, p.Accepter()
	switch {
	case scope.Account != accepter.Account:
		return notPermitted("User (%s) cannot %s peering %s", scope.Account, verb, id)
	case scope.Region != accepter.Region:
		return notPermitted("Incorrect region (%s) specified for this request. VPC peering connection %s must be %s in region %s", scope.Region, id, allowed, accepter.Region)
	}
	return nil
}

func notPermitted(format string, args ...any) error {
	return protocol.Errorf("OperationNotPermitted", format, args...)
}

// AcceptVpcPeeringConnection makes a connection active that the caller's VPC was asked
// for.
func (s *Server) AcceptVpcPeeringConnection(ctx context.Context, in *ec2.AcceptVpcPeeringConnectionInput) (*ec2.AcceptVpcPeeringConnectionOutput, error) {
	if in.VpcPeeringConnectionId == nil {
		return nil, missingParameter("vpcPeeringConnectionId")
	}
	var view ec2.VpcPeeringConnection
	err := s.changePeering(ctx, *in.VpcPeeringConnectionId, func(tx *store.Tx, scope fargo.Scope, p *record.EC2Peering, now time.Time) error {
		if err := decides(p, scope, "accept", "accepted"); err != nil {
			return err
		}
		if !pending(p, now) {
			return badTransition(p, now, "provisioning")
		}
		for _, vpc := range []*string{p.Connection.RequesterVpcInfo.VpcId, p.Connection.AccepterVpcInfo.VpcId} {
			if err := checkActivePeerings(tx, *vpc); err != nil {
				return err
			}
		}
		own, other := *p.Connection.AccepterVpcInfo.VpcId, *p.Connection.RequesterVpcInfo.VpcId
		for o := range store.EC2Peerings.By(tx, store.ByVPC, own) {
			if o.Active() && o.Other(own) == other {
				return protocol.Errorf("VpcPeeringConnectionAlreadyExists", "A VPC peering connection between the VPCs %s and %s already exists.", other, own)
			}
		}
		a, okA := store.EC2VPCs.Get(tx, p.Scope.Key(other))
		b, okB := store.EC2VPCs.Get(tx, p.Accepter().Key(own))
		if !okA || !okB || overlap(a, b) { // they have changed since
			endPeering(p, ec2.VpcPeeringConnectionStateReasonCodeFailed, "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range", now)
			view = peeringView(tx, p, scope, now)
			return nil
		}
		p.Connection.AccepterVpcInfo = vpcInfo(p.Accepter(), own, true)
		setPeeringStatus(p, ec2.VpcPeeringConnectionStateReasonCodeActive, "Active")
		view = peeringView(tx, p, scope, now)
		view.Status = peeringStatus(ec2.VpcPeeringConnectionStateReasonCodeProvisioning, "Provisioning")
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ec2.AcceptVpcPeeringConnectionOutput{VpcPeeringConnection: &view}, nil
}

// RejectVpcPeeringConnection declines a request.
func (s *Server) RejectVpcPeeringConnection(ctx context.Context, in *ec2.RejectVpcPeeringConnectionInput) (*ec2.RejectVpcPeeringConnectionOutput, error) {
	return &ec2.RejectVpcPeeringConnectionOutput{Return: new(true)}, s.changePeering(ctx, *in.VpcPeeringConnectionId, func(_ *store.Tx, scope fargo.Scope, p *record.EC2Peering, now time.Time) error {
		if err := decides(p, scope, "reject", "accepted or rejected"); err != nil {
			return err
		}
		if !pending(p, now) {
			return badTransition(p, now, "rejected")
		}
		endPeering(p, ec2.VpcPeeringConnectionStateReasonCodeRejected, "Rejected by "+scope.Account, now)
		return nil
	})
}

// DeleteVpcPeeringConnection ends a connection, by either side, or takes a request back.
func (s *Server) DeleteVpcPeeringConnection(ctx context.Context, in *ec2.DeleteVpcPeeringConnectionInput) (*ec2.DeleteVpcPeeringConnectionOutput, error) {
	return &ec2.DeleteVpcPeeringConnectionOutput{Return: new(true)}, s.changePeering(ctx, *in.VpcPeeringConnectionId, func(_ *store.Tx, scope fargo.Scope, p *record.EC2Peering, now time.Time) error {
		switch {
		case !p.Active() && !pending(p, now):
			return badTransition(p, now, "deleting")
		case !p.Active() && scope.Account != p.Scope.Account:
			return notPermitted("User (%s) cannot %s peering %s", scope.Account, "delete", *in.VpcPeeringConnectionId)
		}
		endPeering(p, ec2.VpcPeeringConnectionStateReasonCodeDeleted, "Deleted by "+scope.Account, now)
		return nil
	})
}

// badTransition is the error of a call that the state of a connection does not allow.
func badTransition(p *record.EC2Peering, now time.Time, to string) error {
	return protocol.Errorf("InvalidStateTransition", "Invalid state transition for %s, attempted to transition from %s to %s",
		*p.Connection.VpcPeeringConnectionId, statusOf(p, now).Code, to)
}

// endPeerings ends the connections of a VPC that is deleted.
func endPeerings(tx *store.Tx, scope fargo.Scope, vpc string, now time.Time) {
	for p := range store.EC2Peerings.By(tx, store.ByVPC, vpc) {
		if endedAt(p, now).IsZero() {
			c := *p
			endPeering(&c, ec2.VpcPeeringConnectionStateReasonCodeDeleted, fmt.Sprintf("Deleted by %s", scope.Account), now)
			store.EC2Peerings.Put(tx, &c)
		}
	}
}

// DescribeVpcPeeringConnections shows the connections of VPCs in the scope, whoever asked
// for them.
func (s *Server) DescribeVpcPeeringConnections(ctx context.Context, in *ec2.DescribeVpcPeeringConnectionsInput) (*ec2.DescribeVpcPeeringConnectionsOutput, error) {
	all := peeringViews(s.db.View(), api.CallFrom(ctx).Scope(), time.Now())
	out, next, err := describe(slices.Values(all), query{in.VpcPeeringConnectionIds, in.Filters, pages.Ask(in, in.NextToken, in.MaxResults)}, peeringFields,
		func(p ec2.VpcPeeringConnection) string { return *p.VpcPeeringConnectionId }, noPeering)
	return &ec2.DescribeVpcPeeringConnectionsOutput{VpcPeeringConnections: out, NextToken: next}, err
}
