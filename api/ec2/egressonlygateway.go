package ec2

import (
	"context"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws/ec2"
	"fargo/record"
	"fargo/store"
)

// CreateEgressOnlyInternetGateway makes a gateway for IPv6 out of a VPC. A token makes
// it once: whoever asks again with the same gets the same.
func (s *Server) CreateEgressOnlyInternetGateway(ctx context.Context, in *ec2.CreateEgressOnlyInternetGatewayInput) (*ec2.CreateEgressOnlyInternetGatewayOutput, error) {
	tags, err := requestTags(in.TagSpecifications, ec2.ResourceTypeEgressOnlyInternetGateway)
	if err != nil {
		return nil, err
	}
	request, err := requestOf(in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	var g *record.EC2EgressOnlyGateway
	err = s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		g, err = repeatedOne(request, store.EC2EgressOnlyGateways.Prefix(tx, scope.Key()))
		if g != nil || err != nil {
			return err
		}
		if _, err := findVPC(tx, scope, *in.VpcId); err != nil {
			return err
		}
		g = &record.EC2EgressOnlyGateway{Scope: scope, EC2Request: request, Gateway: ec2.EgressOnlyInternetGateway{
			EgressOnlyInternetGatewayId: new(fargo.NewEC2ID("eigw")), Tags: tags,
			Attachments: []ec2.InternetGatewayAttachment{{State: ec2.AttachmentStatusAttached, VpcId: in.VpcId}},
		}}
		store.EC2EgressOnlyGateways.Put(tx, g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ec2.CreateEgressOnlyInternetGatewayOutput{EgressOnlyInternetGateway: &g.Gateway, ClientToken: in.ClientToken}, nil
}

func findEgressOnlyGateway(r store.Reader, scope fargo.Scope, id string) (*record.EC2EgressOnlyGateway, error) {
	g, ok := store.EC2EgressOnlyGateways.Get(r, scope.Key(id))
	if !ok {
		return nil, noSuch("eigw")(id)
	}
	return g, nil
}

// DeleteEgressOnlyInternetGateway deletes a gateway. Routes to it become blackholes.
func (s *Server) DeleteEgressOnlyInternetGateway(ctx context.Context, in *ec2.DeleteEgressOnlyInternetGatewayInput) (*ec2.DeleteEgressOnlyInternetGatewayOutput, error) {
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		g, err := findEgressOnlyGateway(tx, scope, *in.EgressOnlyInternetGatewayId)
		if err != nil {
			return err
		}
		store.EC2EgressOnlyGateways.Delete(tx, g.Key())
		return nil
	})
	return &ec2.DeleteEgressOnlyInternetGatewayOutput{ReturnCode: new(err == nil)}, err
}

var egressOnlyFields = fields[*record.EC2EgressOnlyGateway]{
	operation: "DescribeEgressOnlyInternetGateways",
	tags:      func(g *record.EC2EgressOnlyGateway) []ec2.Tag { return g.Gateway.Tags },
}

// DescribeEgressOnlyInternetGateways shows egress-only Internet gateways.
func (s *Server) DescribeEgressOnlyInternetGateways(ctx context.Context, in *ec2.DescribeEgressOnlyInternetGatewaysInput) (*ec2.DescribeEgressOnlyInternetGatewaysOutput, error) {
	found, next, err := describe(store.EC2EgressOnlyGateways.Prefix(s.db.View(), api.CallFrom(ctx).Scope().Key()),
		query{in.EgressOnlyInternetGatewayIds, in.Filters, pages.Ask(in, in.NextToken, in.MaxResults)}, egressOnlyFields,
		func(g *record.EC2EgressOnlyGateway) string { return *g.Gateway.EgressOnlyInternetGatewayId }, noSuch("eigw"))
	out := &ec2.DescribeEgressOnlyInternetGatewaysOutput{EgressOnlyInternetGateways: []ec2.EgressOnlyInternetGateway{}, NextToken: next}
	for _, g := range found {
		out.EgressOnlyInternetGateways = append(out.EgressOnlyInternetGateways, g.Gateway)
	}
	return out, err
}
