package ec2

import (
	"context"
	"iter"
	"slices"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// newRouteTable makes a table with the one route that every table has: to the
// VPC itself.
func newRouteTable(v *record.EC2VPC, tags []ec2.Tag) *record.EC2RouteTable {
	t := &record.EC2RouteTable{Scope: v.Scope, RouteTable: ec2.RouteTable{
		RouteTableId: new(fargo.NewEC2ID("rtb")), VpcId: v.VPC.VpcId, OwnerId: &v.Scope.Account, Tags: aws.List(tags),
		Associations: []ec2.RouteTableAssociation{}, PropagatingVgws: []ec2.PropagatingVgw{},
	}}
	for _, c := range slices.Concat(v.CIDRs(), v.CIDRs6()) {
		t = withLocal(t, c)
	}
	return t
}

// newAssociation ties a table to a subnet, or, without one, makes it the main.
func newAssociation(t *record.EC2RouteTable, subnet *string) ec2.RouteTableAssociation {
	return ec2.RouteTableAssociation{
		RouteTableAssociationId: new(fargo.NewEC2ID("rtbassoc")), RouteTableId: t.RouteTable.RouteTableId,
		SubnetId: subnet, Main: new(subnet == nil),
		AssociationState: &ec2.RouteTableAssociationState{State: ec2.RouteTableAssociationStateCodeAssociated},
	}
}

func isMain(t *record.EC2RouteTable) bool {
	return slices.ContainsFunc(t.RouteTable.Associations, func(a ec2.RouteTableAssociation) bool { return aws.Value(a.Main) })
}

// without gives a copy of the table without the associations that drop names,
// and whether there were any.
func without(t *record.EC2RouteTable, drop func(ec2.RouteTableAssociation) bool) (*record.EC2RouteTable, bool) {
	c := *t
	c.RouteTable.Associations = slices.DeleteFunc(slices.Clone(t.RouteTable.Associations), drop)
	return &c, len(c.RouteTable.Associations) != len(t.RouteTable.Associations)
}

func withoutSubnet(t *record.EC2RouteTable, subnet string) (*record.EC2RouteTable, bool) {
	return without(t, func(a ec2.RouteTableAssociation) bool { return aws.Value(a.SubnetId) == subnet })
}

func findRouteTable(r store.Reader, scope fargo.Scope, id string) (*record.EC2RouteTable, error) {
	t, ok := store.EC2RouteTables.Get(r, scope.Key(id))
	if !ok {
		return nil, noRouteTable(id)
	}
	return t, nil
}

// CreateRouteTable makes a table with the local route.
func (s *Server) CreateRouteTable(ctx context.Context, in *ec2.CreateRouteTableInput) (*ec2.CreateRouteTableOutput, error) {
	tags, err := requestTags(in.TagSpecifications, ec2.ResourceTypeRouteTable)
	if err != nil {
		return nil, err
	}
	request, err := requestOf(in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	var t *record.EC2RouteTable
	err = s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		t, err = repeatedOne(request, store.EC2RouteTables.Prefix(tx, scope.Key()))
		if t != nil || err != nil {
			return err
		}
		v, err := findVPC(tx, scope, *in.VpcId)
		if err != nil {
			return err
		}
		t = newRouteTable(v, tags)
		t.EC2Request = request
		store.EC2RouteTables.Put(tx, t)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ec2.CreateRouteTableOutput{RouteTable: &t.RouteTable, ClientToken: in.ClientToken}, nil
}

// DeleteRouteTable deletes a table that nothing is associated with.
func (s *Server) DeleteRouteTable(ctx context.Context, in *ec2.DeleteRouteTableInput) (*ec2.DeleteRouteTableOutput, error) {
	return &ec2.DeleteRouteTableOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		t, err := findRouteTable(tx, scope, *in.RouteTableId)
		if err != nil {
			return err
		}
		if len(t.RouteTable.Associations) > 0 {
			return inUse("The routeTable '%s' has dependencies and cannot be deleted.", *in.RouteTableId)
		}
		leaveEndpoints(tx, t)
		store.EC2RouteTables.Delete(tx, t.Key())
		return nil
	})
}

// AssociateRouteTable makes a table the subnet's own, instead of the one before.
func (s *Server) AssociateRouteTable(ctx context.Context, in *ec2.AssociateRouteTableInput) (*ec2.AssociateRouteTableOutput, error) {
	if in.SubnetId == nil {
		return nil, notImplemented("GatewayId")
	}
	var made ec2.RouteTableAssociation
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		t, err := findRouteTable(tx, scope, *in.RouteTableId)
		if err != nil { // of any text, as EC2 does here
			return ids["rtb"].missing(*in.RouteTableId)
		}
		n, err := findSubnet(tx, scope, *in.SubnetId)
		if err != nil {
			return err
		}
		if *n.Subnet.VpcId != *t.RouteTable.VpcId {
			return badValue("Route table %s and network %s belong to different networks", *in.RouteTableId, *in.SubnetId)
		}
		for o := range store.EC2RouteTables.By(tx, store.ByVPC, *n.Subnet.VpcId) {
			for _, a := range o.RouteTable.Associations {
				if aws.Value(a.SubnetId) == *in.SubnetId {
					return protocol.Errorf("Resource.AlreadyAssociated", "the specified association for route table %s conflicts with an existing association", *o.RouteTable.RouteTableId)
				}
			}
		}
		made = associate(tx, t, in.SubnetId)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ec2.AssociateRouteTableOutput{AssociationId: made.RouteTableAssociationId, AssociationState: made.AssociationState}, nil
}

func associate(tx *store.Tx, t *record.EC2RouteTable, subnet *string) ec2.RouteTableAssociation {
	a := newAssociation(t, subnet)
	c := *t
	c.RouteTable.Associations = append(slices.Clone(t.RouteTable.Associations), a)
	store.EC2RouteTables.Put(tx, &c)
	return a
}

// findAssociation gives an association and the table it belongs to.
func findAssociation(r store.Reader, scope fargo.Scope, id string) (*record.EC2RouteTable, ec2.RouteTableAssociation, error) {
	for t := range store.EC2RouteTables.Prefix(r, scope.Key()) {
		for _, a := range t.RouteTable.Associations {
			if *a.RouteTableAssociationId == id {
				return t, a, nil
			}
		}
	}
	return nil, ec2.RouteTableAssociation{}, noSuch("rtbassoc")(id)
}

// DisassociateRouteTable gives a subnet back to the main table.
func (s *Server) DisassociateRouteTable(ctx context.Context, in *ec2.DisassociateRouteTableInput) (*ec2.DisassociateRouteTableOutput, error) {
	return &ec2.DisassociateRouteTableOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		t, a, err := findAssociation(tx, scope, *in.AssociationId)
		if err != nil {
			return err
		}
		if aws.Value(a.Main) {
			return badValue("cannot disassociate the main route table association %s", *in.AssociationId)
		}
		c, _ := without(t, func(o ec2.RouteTableAssociation) bool { return *o.RouteTableAssociationId == *in.AssociationId })
		store.EC2RouteTables.Put(tx, c)
		return nil
	})
}

// ReplaceRouteTableAssociation moves a subnet, or the place of the main table,
// to another table.
func (s *Server) ReplaceRouteTableAssociation(ctx context.Context, in *ec2.ReplaceRouteTableAssociationInput) (*ec2.ReplaceRouteTableAssociationOutput, error) {
	var made ec2.RouteTableAssociation
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		from, a, err := findAssociation(tx, scope, *in.AssociationId)
		if err != nil {
			return err
		}
		if _, err := findRouteTable(tx, scope, *in.RouteTableId); err != nil {
			return err
		}
		c, _ := without(from, func(o ec2.RouteTableAssociation) bool { return *o.RouteTableAssociationId == *in.AssociationId })
		store.EC2RouteTables.Put(tx, c)
		to, err := findRouteTable(tx, scope, *in.RouteTableId)
		if err != nil {
			return err
		}
		made = associate(tx, to, a.SubnetId)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ec2.ReplaceRouteTableAssociationOutput{NewAssociationId: made.RouteTableAssociationId, AssociationState: made.AssociationState}, nil
}

var routeTableFields = fields[*record.EC2RouteTable]{
	operation: "DescribeRouteTables",
	names: map[string]func(*record.EC2RouteTable) []string{
		"route-table-id":   one(func(t *record.EC2RouteTable) *string { return t.RouteTable.RouteTableId }),
		"vpc-id":           one(func(t *record.EC2RouteTable) *string { return t.RouteTable.VpcId }),
		"owner-id":         one(func(t *record.EC2RouteTable) *string { return t.RouteTable.OwnerId }),
		"association.main": func(t *record.EC2RouteTable) []string { return boolean(new(isMain(t))) },

		"association.subnet-id":                  each(associations, func(a ec2.RouteTableAssociation) *string { return a.SubnetId }),
		"association.gateway-id":                 each(associations, func(a ec2.RouteTableAssociation) *string { return a.GatewayId }),
		"association.route-table-association-id": each(associations, func(a ec2.RouteTableAssociation) *string { return a.RouteTableAssociationId }),
		"association.route-table-id":             each(associations, func(a ec2.RouteTableAssociation) *string { return a.RouteTableId }),

		"route.destination-cidr-block":          each(routes, func(r ec2.Route) *string { return r.DestinationCidrBlock }),
		"route.destination-ipv6-cidr-block":     each(routes, func(r ec2.Route) *string { return r.DestinationIpv6CidrBlock }),
		"route.destination-prefix-list-id":      each(routes, func(r ec2.Route) *string { return r.DestinationPrefixListId }),
		"route.egress-only-internet-gateway-id": each(routes, func(r ec2.Route) *string { return r.EgressOnlyInternetGatewayId }),
		"route.gateway-id":                      each(routes, func(r ec2.Route) *string { return r.GatewayId }),
		"route.instance-id":                     each(routes, func(r ec2.Route) *string { return r.InstanceId }),
		"route.nat-gateway-id":                  each(routes, func(r ec2.Route) *string { return r.NatGatewayId }),
		"route.transit-gateway-id":              each(routes, func(r ec2.Route) *string { return r.TransitGatewayId }),
		"route.origin":                          each(routes, func(r ec2.Route) *string { return new(string(r.Origin)) }),
		"route.state":                           each(routes, func(r ec2.Route) *string { return new(string(r.State)) }),
		"route.vpc-peering-connection-id":       each(routes, func(r ec2.Route) *string { return r.VpcPeeringConnectionId }),
	},
	tags: func(t *record.EC2RouteTable) []ec2.Tag { return t.RouteTable.Tags },
}

func associations(t *record.EC2RouteTable) []ec2.RouteTableAssociation {
	return t.RouteTable.Associations
}
func routes(t *record.EC2RouteTable) []ec2.Route { return t.RouteTable.Routes }

// routeTables are the tables of a scope as clients see them: each route with its state.
func routeTables(r store.Reader, scope fargo.Scope) iter.Seq[*record.EC2RouteTable] {
	return func(yield func(*record.EC2RouteTable) bool) {
		views := map[string]plan.NetworkView{}
		for t := range store.EC2RouteTables.Prefix(r, scope.Key()) {
			vpc := *t.RouteTable.VpcId
			if _, ok := views[vpc]; !ok {
				views[vpc] = routeView(r, scope, vpc)
			}
			c := *t
			c.RouteTable.Routes = slices.Clone(t.RouteTable.Routes)
			for i := range c.RouteTable.Routes {
				c.RouteTable.Routes[i].State = plan.RouteState(views[vpc], t, &t.RouteTable.Routes[i])
			}
			if !yield(&c) {
				return
			}
		}
	}
}

// routeView is what decides about the states of a VPC's routes.
func routeView(r store.Reader, scope fargo.Scope, vpc string) plan.NetworkView {
	v := plan.NetworkView{
		Subnets:            slices.Collect(store.EC2Subnets.By(r, store.ByVPC, vpc)),
		InternetGateways:   slices.Collect(store.EC2InternetGateways.Prefix(r, scope.Key())),
		EgressOnlyGateways: slices.Collect(store.EC2EgressOnlyGateways.Prefix(r, scope.Key())),
		NATGateways:        slices.Collect(store.EC2NATGateways.By(r, store.ByVPC, vpc)),
		Endpoints:          slices.Collect(store.EC2VPCEndpoints.By(r, store.ByVPC, vpc)),
		PrefixLists:        prefixLists(r, scope),
		Peerings:           slices.Collect(store.EC2Peerings.By(r, store.ByVPC, vpc)),
	}
	if own, ok := store.EC2VPCs.Get(r, scope.Key(vpc)); ok {
		v.VPCs = append(v.VPCs, own)
	}
	for _, p := range v.Peerings { // the other VPCs
		for _, id := range []*ec2.VpcPeeringConnectionVpcInfo{p.Connection.RequesterVpcInfo, p.Connection.AccepterVpcInfo} {
			peer := fargo.Scope{Account: aws.Value(id.OwnerId), Region: aws.Value(id.Region)}
			if other, ok := store.EC2VPCs.Get(r, peer.Key(*id.VpcId)); ok && *id.VpcId != vpc {
				v.VPCs = append(v.VPCs, other)
			}
		}
	}
	return v
}

// DescribeRouteTables shows route tables.
func (s *Server) DescribeRouteTables(ctx context.Context, in *ec2.DescribeRouteTablesInput) (*ec2.DescribeRouteTablesOutput, error) {
	found, next, err := describe(routeTables(s.db.View(), api.CallFrom(ctx).Scope()),
		query{in.RouteTableIds, in.Filters, pages.Ask(in, in.NextToken, in.MaxResults)}, routeTableFields,
		func(t *record.EC2RouteTable) string { return *t.RouteTable.RouteTableId },
		noRouteTable)
	out := &ec2.DescribeRouteTablesOutput{RouteTables: []ec2.RouteTable{}, NextToken: next}
	for _, t := range found {
		out.RouteTables = append(out.RouteTables, t.RouteTable)
	}
	return out, err
}
