package control

import (
	"iter"
	"maps"
	"slices"
	"time"

	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// VPCEndpoints is the controller that gives the interfaces of endpoints their nodes,
// says which endpoints are available, and ends those that are deleted.
func VPCEndpoints() Controller {
	all := func(r store.Reader) iter.Seq[string] { return keys(store.EC2VPCEndpoints.All(r)) }
	return Controller{
		Name: "vpcendpoint",
		All:  all,
		Scope: func(r store.Reader, c store.Change) iter.Seq[string] {
			switch c.Table {
			case store.EC2VPCEndpoints.Name():
				return slices.Values([]string{c.Key})
			case store.Nodes.Name():
				return all(r)
			}
			return slices.Values([]string(nil))
		},
		Reconcile: func(tx *store.Tx, key string, _ time.Time) (time.Time, error) {
			e, ok := store.EC2VPCEndpoints.Get(tx, key)
			switch {
			case !ok:
			case e.Endpoint.State == plan.EndpointDeleting:
				endEndpoint(tx, e)
			default:
				advanceEndpoint(tx, e)
			}
			return time.Time{}, nil
		},
	}
}

// advanceEndpoint places an endpoint's interfaces. It becomes available when all are
// placed, and stays so.
func advanceEndpoint(tx *store.Tx, e *record.EC2VPCEndpoint) {
	next := *e
	if !endpointPlaced(tx, e) {
		load := interfacesByNode(tx)
		next.Nodes = plan.PlaceEndpoint(e, endpointZones(tx, e), plan.InterfaceView{
			Nodes: slices.Collect(store.Nodes.All(tx)), Targets: tasksByNode(tx, *e.Endpoint.VpcId), Interfaces: load,
		})
		for _, n := range e.Nodes {
			load[n]--
		}
		for _, n := range next.Nodes {
			load[n]++
		}
	}
	if e.Endpoint.State == plan.EndpointPending && len(next.Nodes) == len(next.Interfaces) {
		next.Endpoint.State = plan.EndpointAvailable
	}
	if next.Endpoint.State != e.Endpoint.State || !maps.Equal(next.Nodes, e.Nodes) {
		store.EC2VPCEndpoints.Put(tx, &next)
	}
}

// endpointPlaced reports whether all interfaces of an endpoint are on active nodes, and
// no others are.
func endpointPlaced(r store.Reader, e *record.EC2VPCEndpoint) bool {
	for _, i := range e.Interfaces {
		if n, ok := store.Nodes.Get(r, e.Nodes[i.ID]); !ok || !n.Active() {
			return false
		}
	}
	return len(e.Nodes) == len(e.Interfaces)
}

// endpointZones are the zones of an endpoint's interfaces.
func endpointZones(r store.Reader, e *record.EC2VPCEndpoint) []string {
	zones := make([]string, len(e.Interfaces))
	for n, i := range e.Interfaces {
		if s, ok := store.EC2Subnets.Get(r, e.Scope.Key(i.Subnet)); ok {
			zones[n] = *s.Subnet.AvailabilityZone
		}
	}
	return zones
}

// tasksByNode counts the tasks in a VPC.
func tasksByNode(r store.Reader, vpc string) map[string]int {
	count := map[string]int{}
	for i := range store.EC2NetworkInterfaces.By(r, store.ByVPC, vpc) {
		if t, ok := taskByARN(r, i.TaskARN); ok && t.Node != "" {
			count[t.Node]++
		}
	}
	return count
}

// endEndpoint takes an endpoint away with its interfaces.
func endEndpoint(tx *store.Tx, e *record.EC2VPCEndpoint) {
	for _, id := range e.Endpoint.NetworkInterfaceIds {
		store.EC2NetworkInterfaces.Delete(tx, e.Scope.Key(id))
	}
	store.EC2VPCEndpoints.Delete(tx, e.Key())
}
