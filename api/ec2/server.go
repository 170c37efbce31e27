// Package ec2 implements the part of Amazon EC2 that containers need: VPCs,
// subnets, route tables, gateways, addresses, endpoints, peering, security groups,
// access lists, network interfaces, flow logs and their tags. It knows their rules and texts. It refuses to know how a packet is
// routed: it writes the desired state, and nodes apply it.
package ec2

import (
	"context"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/store"
)

// Server answers the EC2 operations, from and into the store.
type Server struct {
	db         *store.DB
	networks   Networks
	public     netip.Prefix
	elasticIPs int
	public6    netip.Prefix
}

// Config is what a [Server] needs.
type Config struct {
	DB *store.DB
	// Networks are those that the machines are in; nil when nobody knows.
	Networks Networks
	// Public is the range of public IPv4 addresses. The zero Prefix: there are none.
	Public netip.Prefix
	// ElasticIPs is how many addresses an account may allocate in a region.
	ElasticIPs int
	// Public6 is the range of the IPv6 blocks of VPCs. The zero Prefix: there are none.
	Public6 netip.Prefix
}

// New makes a server.
func New(c Config) *Server {
	return &Server{db: c.DB, networks: c.Networks, public: c.Public, elasticIPs: c.ElasticIPs, public6: c.Public6}
}

// Precheck opens the call's region, so that an account finds its default VPC
// wherever it looks first, and answers a dry run: the caller would have been let
// through. Source: EC2 API, DryRun, common to all actions.
func (s *Server) Precheck(ctx context.Context, in any) error {
	if err := EnsureDefaults(ctx, s.db, s.networks, api.CallFrom(ctx).Scope()); err != nil {
		return err
	}
	f := reflect.ValueOf(in).Elem().FieldByName("DryRun")
	if f.IsValid() && !f.IsNil() && f.Elem().Bool() {
		return protocol.Errorf("DryRunOperation", "Request would have succeeded, but DryRun flag is set.").WithStatus(412)
	}
	return nil
}

func (s *Server) update(ctx context.Context, fn func(tx *store.Tx, scope fargo.Scope, now time.Time) error) error {
	scope := api.CallFrom(ctx).Scope()
	return s.db.Update(ctx, func(tx *store.Tx) error { return fn(tx, scope, time.Now()) })
}

// The errors of EC2, which its model does not name.
// Source: EC2 API reference, "Error codes".

func badValue(format string, args ...any) error {
	return protocol.Errorf("InvalidParameterValue", format, args...)
}

func badParameter(format string, args ...any) error {
	return protocol.Errorf("InvalidParameter", format, args...)
}

func missingParameter(name string) error {
	return protocol.Errorf("MissingParameter", "The request must contain the parameter %s", name)
}

func missingEither(one, other string) error {
	return protocol.Errorf("MissingParameter", "Either '%s' or '%s' should be provided.", one, other)
}

func inUse(format string, args ...any) error {
	return protocol.Errorf("DependencyViolation", format, args...)
}

// notImplemented names a parameter that would change what happens, if Fargo
// knew how.
func notImplemented(parameter string) error {
	return protocol.Errorf("UnsupportedOperation", "Fargo does not implement the parameter %s.", parameter)
}

// refuseSet refuses the first by name of the parameters that are set.
func refuseSet(set map[string]bool) error {
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if set[name] {
			return notImplemented(name)
		}
	}
	return nil
}

// requestTags are the tags a Create call gives to what it makes.
func requestTags(specs []ec2.TagSpecification, kind ec2.ResourceType) ([]ec2.Tag, error) {
	tags := []ec2.Tag{}
	for _, s := range specs {
		switch {
		case s.ResourceType == "":
			return nil, badParameter("Tag specification resource type must have a value")
		case s.ResourceType != kind:
			return nil, badParameter("'%s' is not a valid taggable resource type for this operation.", s.ResourceType)
		case len(s.Tags) == 0:
			return nil, badParameter("Tag specification must have at least one tag")
		}
		tags = append(tags, s.Tags...)
	}
	return tags, tagRules.Check(tags)
}
