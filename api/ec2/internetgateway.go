package ec2

import (
	"context"
	"slices"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

func newInternetGateway(scope fargo.Scope, tags []ec2.Tag) *record.EC2InternetGateway {
	return &record.EC2InternetGateway{Scope: scope, Gateway: ec2.InternetGateway{
		InternetGatewayId: new(fargo.NewEC2ID("igw")), OwnerId: &scope.Account,
		Attachments: []ec2.InternetGatewayAttachment{}, Tags: tags,
	}}
}

// CreateInternetGateway makes a gateway that is attached to nothing yet.
func (s *Server) CreateInternetGateway(ctx context.Context, in *ec2.CreateInternetGatewayInput) (*ec2.CreateInternetGatewayOutput, error) {
	tags, err := requestTags(in.TagSpecifications, ec2.ResourceTypeInternetGateway)
	if err != nil {
		return nil, err
	}
	var g *record.EC2InternetGateway
	err = s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		g = newInternetGateway(scope, tags)
		store.EC2InternetGateways.Put(tx, g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ec2.CreateInternetGatewayOutput{InternetGateway: &g.Gateway}, nil
}

func findGateway(r store.Reader, scope fargo.Scope, id string) (*record.EC2InternetGateway, error) {
	g, ok := store.EC2InternetGateways.Get(r, scope.Key(id))
	if !ok {
		return nil, noGateway(id)
	}
	return g, nil
}

// AttachInternetGateway gives a VPC its gateway.
func (s *Server) AttachInternetGateway(ctx context.Context, in *ec2.AttachInternetGatewayInput) (*ec2.AttachInternetGatewayOutput, error) {
	return &ec2.AttachInternetGatewayOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		g, err := findGateway(tx, scope, *in.InternetGatewayId)
		if err != nil {
			return err
		}
		if _, err := findVPC(tx, scope, *in.VpcId); err != nil {
			return err
		}
		if len(g.Gateway.Attachments) > 0 {
			return protocol.Errorf("Resource.AlreadyAssociated", "resource %s is already attached to network %s", *in.InternetGatewayId, *g.Gateway.Attachments[0].VpcId)
		}
		for o := range store.EC2InternetGateways.Prefix(tx, scope.Key()) {
			if len(o.Gateway.Attachments) > 0 && *o.Gateway.Attachments[0].VpcId == *in.VpcId {
				return badValue("Network %s already has an internet gateway attached", *in.VpcId)
			}
		}
		c := *g
		c.Gateway.Attachments = []ec2.InternetGatewayAttachment{{State: "available", VpcId: in.VpcId}}
		store.EC2InternetGateways.Put(tx, &c)
		return nil
	})
}

// DetachInternetGateway takes a VPC's gateway from it.
func (s *Server) DetachInternetGateway(ctx context.Context, in *ec2.DetachInternetGatewayInput) (*ec2.DetachInternetGatewayOutput, error) {
	return &ec2.DetachInternetGatewayOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		g, err := findGateway(tx, scope, *in.InternetGatewayId)
		if err != nil {
			return err
		}
		if len(g.Gateway.Attachments) == 0 || *g.Gateway.Attachments[0].VpcId != *in.VpcId {
			return protocol.Errorf("Gateway.NotAttached", "resource %s is not attached to network %s", *in.InternetGatewayId, *in.VpcId)
		}
		for i := range store.EC2NetworkInterfaces.By(tx, store.ByVPC, *in.VpcId) {
			if isMapped(i) {
				return inUse("Network %s has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.", *in.VpcId)
			}
		}
		c := *g
		c.Gateway.Attachments = []ec2.InternetGatewayAttachment{}
		store.EC2InternetGateways.Put(tx, &c)
		return nil
	})
}

// isMapped reports whether an interface has a public address.
func isMapped(i *record.EC2NetworkInterface) bool {
	return slices.ContainsFunc(i.Interface.PrivateIpAddresses, func(p ec2.NetworkInterfacePrivateIpAddress) bool { return p.Association != nil })
}

// DeleteInternetGateway deletes a gateway that is attached to nothing.
func (s *Server) DeleteInternetGateway(ctx context.Context, in *ec2.DeleteInternetGatewayInput) (*ec2.DeleteInternetGatewayOutput, error) {
	return &ec2.DeleteInternetGatewayOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		g, err := findGateway(tx, scope, *in.InternetGatewayId)
		if err != nil {
			return err
		}
		if len(g.Gateway.Attachments) > 0 {
			return inUse("The internetGateway '%s' has dependencies and cannot be deleted.", *in.InternetGatewayId)
		}
		store.EC2InternetGateways.Delete(tx, g.Key())
		return nil
	})
}

var gatewayFields = fields[*record.EC2InternetGateway]{
	operation: "DescribeInternetGateways",
	names: map[string]func(*record.EC2InternetGateway) []string{
		"internet-gateway-id": one(func(g *record.EC2InternetGateway) *string { return g.Gateway.InternetGatewayId }),
		"owner-id":            one(func(g *record.EC2InternetGateway) *string { return g.Gateway.OwnerId }),
		"attachment.vpc-id":   each(attachments, func(a ec2.InternetGatewayAttachment) *string { return a.VpcId }),
		"attachment.state":    each(attachments, func(a ec2.InternetGatewayAttachment) *string { return new(string(a.State)) }),
	},
	tags: func(g *record.EC2InternetGateway) []ec2.Tag { return g.Gateway.Tags },
}

func attachments(g *record.EC2InternetGateway) []ec2.InternetGatewayAttachment {
	return g.Gateway.Attachments
}

// DescribeInternetGateways shows gateways.
func (s *Server) DescribeInternetGateways(ctx context.Context, in *ec2.DescribeInternetGatewaysInput) (*ec2.DescribeInternetGatewaysOutput, error) {
	found, next, err := describe(store.EC2InternetGateways.Prefix(s.db.View(), api.CallFrom(ctx).Scope().Key()),
		query{in.InternetGatewayIds, in.Filters, pages.Ask(in, in.NextToken, in.MaxResults)}, gatewayFields,
		func(g *record.EC2InternetGateway) string { return *g.Gateway.InternetGatewayId },
		noGateway)
	out := &ec2.DescribeInternetGatewaysOutput{InternetGateways: []ec2.InternetGateway{}, NextToken: next}
	for _, g := range found {
		out.InternetGateways = append(out.InternetGateways, g.Gateway)
	}
	return out, err
}
