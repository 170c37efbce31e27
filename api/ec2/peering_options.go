package ec2

import (
	"context"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

// ModifyVpcPeeringConnectionOptions changes what the VPCs of an active connection grant
// each other, each side its own.
func (s *Server) ModifyVpcPeeringConnectionOptions(ctx context.Context, in *ec2.ModifyVpcPeeringConnectionOptionsInput) (*ec2.ModifyVpcPeeringConnectionOptionsOutput, error) {
	for _, o := range []*ec2.PeeringConnectionOptionsRequest{in.RequesterPeeringConnectionOptions, in.AccepterPeeringConnectionOptions} {
		if o == nil {
			continue
		}
		if err := refuseSet(map[string]bool{ // EC2-Classic is gone
			"AllowEgressFromLocalClassicLinkToRemoteVpc": aws.Value(o.AllowEgressFromLocalClassicLinkToRemoteVpc),
			"AllowEgressFromLocalVpcToRemoteClassicLink": aws.Value(o.AllowEgressFromLocalVpcToRemoteClassicLink),
		}); err != nil {
			return nil, err
		}
	}
	if in.RequesterPeeringConnectionOptions == nil && in.AccepterPeeringConnectionOptions == nil {
		return nil, missingEither("requesterPeeringConnectionOptions", "accepterPeeringConnectionOptions")
	}
	out := &ec2.ModifyVpcPeeringConnectionOptionsOutput{}
	return out, s.changePeering(ctx, *in.VpcPeeringConnectionId, func(tx *store.Tx, scope fargo.Scope, p *record.EC2Peering, _ time.Time) error {
		if !p.Active() {
			return notPermitted("Peering %s is not active. Peering options can be added only to active peerings.", *in.VpcPeeringConnectionId)
		}
		if o := in.RequesterPeeringConnectionOptions; o != nil {
			changed, err := changeOptions(tx, p, p.Connection.RequesterVpcInfo, scope, p.Scope, "Requester", o)
			if err != nil {
				return err
			}
			p.Connection.RequesterVpcInfo, out.RequesterPeeringConnectionOptions = changed, shownOptions(changed)
		}
		if o := in.AccepterPeeringConnectionOptions; o != nil {
			changed, err := changeOptions(tx, p, p.Connection.AccepterVpcInfo, scope, p.Accepter(), "Accepter", o)
			if err != nil {
				return err
			}
			p.Connection.AccepterVpcInfo, out.AccepterPeeringConnectionOptions = changed, shownOptions(changed)
		}
		return nil
	})
}

// changeOptions gives what becomes of a side's VPC, if the caller may say so.
func changeOptions(r store.Reader, p *record.EC2Peering, i *ec2.VpcPeeringConnectionVpcInfo, caller, owner fargo.Scope, side string, o *ec2.PeeringConnectionOptionsRequest) (*ec2.VpcPeeringConnectionVpcInfo, error) {
	switch {
	case caller.Account != owner.Account:
		return nil, notPermitted("User %s cannot modify the peering options of the other side of %s", caller.Account, *p.Connection.VpcPeeringConnectionId)
	case caller.Region != owner.Region:
		return nil, notPermitted("%s's VPC Peering connection options cannot be modified for a different region", side)
	}
	if aws.Value(o.AllowDnsResolutionFromRemoteVpc) && !namesHosts(r, owner, *i.VpcId, otherVPC(r, p, *i.VpcId)) {
		return nil, protocol.Errorf("InvalidVpcPeeringConnectionState.DnsHostnamesDisabled", "To enable DNS hostname resolution for the VPC peering connection, DNS hostname support must be enabled for the VPCs.")
	}
	c, options := *i, *i.PeeringOptions
	if o.AllowDnsResolutionFromRemoteVpc != nil {
		options.AllowDnsResolutionFromRemoteVpc = o.AllowDnsResolutionFromRemoteVpc
	}
	c.PeeringOptions = &options
	return &c, nil
}

// namesHosts reports whether both VPCs give their interfaces names.
func namesHosts(r store.Reader, scope fargo.Scope, vpc string, other *record.EC2VPC) bool {
	v, ok := store.EC2VPCs.Get(r, scope.Key(vpc))
	return ok && other != nil && v.NamesHosts() && other.NamesHosts()
}

func shownOptions(i *ec2.VpcPeeringConnectionVpcInfo) *ec2.PeeringConnectionOptions {
	o := i.PeeringOptions
	return &ec2.PeeringConnectionOptions{
		AllowDnsResolutionFromRemoteVpc:            o.AllowDnsResolutionFromRemoteVpc,
		AllowEgressFromLocalClassicLinkToRemoteVpc: o.AllowEgressFromLocalClassicLinkToRemoteVpc,
		AllowEgressFromLocalVpcToRemoteClassicLink: o.AllowEgressFromLocalVpcToRemoteClassicLink,
	}
}
