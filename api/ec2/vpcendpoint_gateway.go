package ec2

import (
	"slices"

	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// addEndpointRoutes gives route tables a gateway endpoint's route: to the prefix list of
// its service. e is a value of the transaction's own.
func addEndpointRoutes(tx *store.Tx, e *record.EC2VPCEndpoint, tables []string) error {
	list := plan.ServicePrefixList(serviceOf(e).Name, e.Scope.Region).List.PrefixListId
	for _, id := range tables {
		if slices.Contains(e.Endpoint.RouteTableIds, id) {
			continue
		}
		t, err := findRouteTable(tx, e.Scope, id)
		switch {
		case err != nil:
			return err
		case *t.RouteTable.VpcId != *e.Endpoint.VpcId:
			return badParameter("The route table %s is not in the VPC %s.", id, *e.Endpoint.VpcId)
		case destination{list: list}.index(t.RouteTable.Routes) >= 0:
			return protocol.Errorf("RouteAlreadyExists", "route table %s already has a route with destination-prefix-list-id %s", id, *list)
		}
		c := *t
		c.RouteTable.Routes = append(slices.Clone(t.RouteTable.Routes), ec2.Route{
			DestinationPrefixListId: list, GatewayId: e.Endpoint.VpcEndpointId, Origin: ec2.RouteOriginCreateRoute, State: ec2.RouteStateActive,
		})
		store.EC2RouteTables.Put(tx, &c)
		e.Endpoint.RouteTableIds = append(slices.Clone(e.Endpoint.RouteTableIds), id)
	}
	return nil
}

// removeEndpointRoutes takes a gateway endpoint's route from route tables.
func removeEndpointRoutes(tx *store.Tx, e *record.EC2VPCEndpoint, tables []string) {
	for _, id := range tables {
		t, ok := store.EC2RouteTables.Get(tx, e.Scope.Key(id))
		if !ok {
			continue
		}
		c := *t
		c.RouteTable.Routes = slices.DeleteFunc(slices.Clone(t.RouteTable.Routes), func(r ec2.Route) bool {
			return aws.Value(r.GatewayId) == *e.Endpoint.VpcEndpointId
		})
		store.EC2RouteTables.Put(tx, &c)
	}
}

// leaveEndpoints takes a route table that is deleted from the gateway endpoints that it
// has routes to.
func leaveEndpoints(tx *store.Tx, t *record.EC2RouteTable) {
	for _, r := range t.RouteTable.Routes {
		e, ok := store.EC2VPCEndpoints.Get(tx, t.Scope.Key(aws.Value(r.GatewayId)))
		if !ok {
			continue
		}
		c := *e
		c.Endpoint.RouteTableIds = withoutID(e.Endpoint.RouteTableIds, *t.RouteTable.RouteTableId)
		store.EC2VPCEndpoints.Put(tx, &c)
	}
}

// withoutID gives a copy of ids without one of them.
func withoutID(ids []string, id string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(o string) bool { return o == id })
}
