package control

import (
	"fmt"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// Images knows the registry behind ECR, as far as placing a task needs it.
type Images interface {
	// Resolve gives the digest that an image name of our own registry means
	// now, and "" for other registries' names and unknown images.
	Resolve(r store.Reader, scope fargo.Scope, image string) (digest string)
}

// Tasks is the controller that brings a new task to a node and takes back what
// a stopped one leaves. Public addresses are of the given range.
func Tasks(images Images, public netip.Prefix, egress egressCheck, roles RolePolicies, authorize Authorize) Controller {
	return Controller{
		Name: "task",
		All:  func(r store.Reader) iter.Seq[string] { return keys(store.Tasks.All(r)) },
		Scope: func(r store.Reader, c store.Change) iter.Seq[string] {
			switch c.Table {
			case store.Tasks.Name():
				return slices.Values([]string{c.Key})
			case store.Nodes.Name():
				return keys(store.Tasks.By(r, store.TaskByNode, ""))
			}
			return slices.Values([]string(nil))
		},
		Reconcile: func(tx *store.Tx, key string, now time.Time) (time.Time, error) {
			t, ok := store.Tasks.Get(tx, key)
			if !ok {
				return time.Time{}, nil
			}
			if _, ok := store.TaskSecrets.Get(tx, key); ok && t.Stopped() {
				store.TaskSecrets.Delete(tx, key)
			}
			_, attached := holdsVolume(tx, t)
			action, next := plan.NextTaskAction(t, attached || hasInterface(tx, t), now)
			switch action {
			case plan.TaskPlace:
				return next, place(tx, images, public, egress, roles, authorize, t, now)
			case plan.TaskAbandon:
				end(tx, t, t.StopCode, t.StoppedReason, now)
			case plan.TaskRelease:
				store.DeleteInterface(tx, t.Scope.Key(t.Interface.ID))
				releaseVolume(tx, t, now)
				// Not changed by the delete, but due to be forgotten some day.
				_, next = plan.NextTaskAction(t, false, now)
			case plan.TaskDelete:
				store.Tasks.Delete(tx, key)
			}
			return next, nil
		},
	}
}

func hasInterface(r store.Reader, t *record.Task) bool {
	if t.Interface == nil {
		return false
	}
	_, ok := store.EC2NetworkInterfaces.Get(r, t.Scope.Key(t.Interface.ID))
	return ok
}

// place gives a task its interface and its node; without any node it waits.
func place(tx *store.Tx, images Images, public netip.Prefix, egress egressCheck, roles RolePolicies, authorize Authorize, t *record.Task, now time.Time) error {
	spread := spreadOf(tx, t)
	if len(spread.nodes) == 0 {
		return nil
	}
	candidates, err := candidates(tx, t, spread)
	if err != nil {
		end(tx, t, fargo.StopTaskFailedToStart, err.Error(), now)
		return nil
	}
	iface, zone, err := plan.PlaceInterface(t, fargo.NewEC2ID("eni"), candidates)
	if err == nil {
		iface.Public, err = plan.PlacePublicAddress(t, &iface, public, func(a netip.Addr) bool { return store.PublicAddressTaken(tx, a) })
	}
	if err != nil {
		end(tx, t, fargo.StopTaskFailedToStart, err.Error(), now)
		return nil
	}
	placed := *t
	placed.Interface = &iface
	if reason := egress.check(tx, &placed); reason != "" {
		failed := *t
		failed.Unreachable = placed.Unreachable
		end(tx, &failed, fargo.StopTaskFailedToStart, reason, now)
		return nil
	}
	if reason := pullRefused(tx, authorize, &placed); reason != "" {
		end(tx, t, fargo.StopTaskFailedToStart, reason, now)
		return nil
	}
	if reason := mountFileSystems(tx, roles, &placed, zone); reason != "" {
		end(tx, t, fargo.StopTaskFailedToStart, reason, now)
		return nil
	}
	if reason := makeVolume(tx, roles, &placed, zone, now); reason != "" {
		failed, volume := *t, *t.Volume
		volume.Failure = reason
		failed.Volume = &volume
		end(tx, &failed, fargo.StopTaskFailedToStart, reason, now)
		return nil
	}
	node, _ := spread.nodeSpread.Place(t)
	spread.zones[zoneOf(t, zone)]++
	placed.Node = node
	placed.Status, placed.ConnectivityAt = fargo.TaskPending, now
	placed.Intent.AvailabilityZone = new(zone)
	placed.Version = plan.TaskVersion(t, &placed)
	placed.Digests = digests(tx, images, t)
	store.EC2NetworkInterfaces.Put(tx, networkInterface(tx, &placed, now))
	store.Tasks.Put(tx, &placed)
	return nil
}

// serviceSpread is how the tasks of a service are spread over nodes and zones; for
// tasks of no service it has no counts. It is made once in a transaction and counts the
// tasks that are placed in it; tasks that end in the same transaction still count.
type serviceSpread struct {
	nodes      []string
	nodeSpread *plan.Spread
	// zones counts the tasks of each deployment apart, so that a new deployment is
	// spread evenly whatever it replaces.
	zones map[deploymentZone]int
}

type deploymentZone struct{ deployment, zone string }

func zoneOf(t *record.Task, zone string) deploymentZone {
	d := deploymentZone{zone: zone}
	if t.Service != "" {
		d.deployment = *t.Intent.StartedBy
	}
	return d
}

// What is cached in a transaction that places tasks: the active nodes, the spread of the
// service with this key, and what decides about the routes of the VPC with this id.
type (
	nodeIDs    struct{}
	spreadKey  string
	routingKey string
)

func routing(tx *store.Tx, scope fargo.Scope, vpc string) plan.NetworkView {
	return store.Cached(tx, routingKey(vpc), func() plan.NetworkView { return store.Routing(tx, scope, vpc) })
}

func spreadOf(tx *store.Tx, t *record.Task) *serviceSpread {
	service := ""
	if t.Service != "" {
		service = t.ServiceKey()
	}
	return store.Cached(tx, spreadKey(service), func() *serviceSpread {
		nodes := store.Cached(tx, nodeIDs{}, func() []string { return activeNodes(tx) })
		load, zones := map[string]int{}, map[deploymentZone]int{}
		for o := range store.Tasks.By(tx, store.TaskByService, service) {
			if o.Desired != fargo.TaskRunning || o.Node == "" {
				continue
			}
			load[o.Node]++
			zones[zoneOf(o, *o.Intent.AvailabilityZone)]++
		}
		return &serviceSpread{nodes, plan.NewSpread(nodes, load), zones}
	})
}

// activeNodes are the ids of the nodes that take tasks, in their order.
func activeNodes(r store.Reader) (ids []string) {
	for n := range store.Nodes.All(r) {
		if n.Active() {
			ids = append(ids, n.ID)
		}
	}
	return ids
}

// end stops a task that no node ever had.
func end(tx *store.Tx, t *record.Task, code fargo.StopCode, reason string, now time.Time) {
	s := *t
	s.Desired, s.Status = fargo.TaskStopped, fargo.TaskStopped
	s.StopCode, s.StoppedReason, s.StoppedAt = code, reason, now
	if s.StoppingAt.IsZero() {
		s.StoppingAt = now
	}
	s.Version = plan.TaskVersion(t, &s)
	store.Tasks.Put(tx, &s)
}

func candidates(tx *store.Tx, t *record.Task, spread *serviceSpread) ([]plan.Candidate, error) {
	var out []plan.Candidate
	for _, id := range t.Network.Subnets {
		s, ok := store.EC2Subnets.Get(tx, t.Scope.Key(id))
		if !ok {
			return nil, fmt.Errorf("Unexpected EC2 error while attempting to Create Network Interface in subnet '%s': InvalidSubnetID.NotFound", id) //nolint:staticcheck // AWS's style
		}
		vpc := *s.Subnet.VpcId
		six, _ := s.Prefix6()
		out = append(out, plan.Candidate{
			Subnet: id, VPC: vpc, Zone: *s.Subnet.AvailabilityZone, Prefix: s.Prefix(), Prefix6: six,
			Load:     spread.zones[zoneOf(t, *s.Subnet.AvailabilityZone)],
			Internet: plan.ReachesInternet(routing(tx, t.Scope, vpc), id, plan.AssignsPublic(t)),
			Resolver: resolver(tx, t.Scope, vpc),
			Taken:    func(a netip.Addr) bool { return store.AddressTaken(tx, vpc, a) },
		})
	}
	return out, nil
}

// resolver is how a task that starts in a VPC resolves names.
func resolver(r store.Reader, scope fargo.Scope, vpc string) *desired.Resolver {
	v, ok := store.EC2VPCs.Get(r, scope.Key(vpc))
	if !ok {
		return nil
	}
	set, _ := store.EC2DHCPOptions.Get(r, scope.Key(aws.Value(v.VPC.DhcpOptionsId)))
	return plan.Resolver(v, set)
}

// digests are those that the task's deployment has resolved, and for the other
// names what they mean now.
func digests(r store.Reader, images Images, t *record.Task) map[string]string {
	out := map[string]string{}
	maps.Copy(out, t.Digests)
	for _, c := range t.Intent.Containers {
		if out[*c.Name] == "" {
			if d := images.Resolve(r, t.Scope, *c.Image); d != "" {
				out[*c.Name] = d
			}
		}
	}
	return out
}

// networkInterface is the record that EC2 shows of a task's interface.
func networkInterface(r store.Reader, t *record.Task, now time.Time) *record.EC2NetworkInterface {
	i := t.Interface
	shape := ec2.NetworkInterface{
		NetworkInterfaceId: &i.ID, SubnetId: &i.Subnet, VpcId: &i.VPC, AvailabilityZone: t.Intent.AvailabilityZone,
		Description:   new(t.Scope.ARN("ecs", "attachment/"+*t.Intent.Attachments[0].Id)),
		InterfaceType: ec2.NetworkInterfaceTypeInterface, MacAddress: &i.MAC, OwnerId: &t.Scope.Account,
		PrivateIpAddresses: []ec2.NetworkInterfacePrivateIpAddress{}, Ipv6Addresses: []ec2.NetworkInterfaceIpv6Address{},
		RequesterId: new("578734482556"), RequesterManaged: new(true), SourceDestCheck: new(true),
		Status: ec2.NetworkInterfaceStatusInUse, TagSet: []ec2.Tag{},
		Attachment: &ec2.NetworkInterfaceAttachment{
			AttachTime: &now, AttachmentId: new(fargo.NewEC2ID("ela-attach")), DeleteOnTermination: new(false),
			DeviceIndex: new(int32(1)), InstanceOwnerId: &t.Scope.Account, Status: ec2.AttachmentStatusAttached,
		},
	}
	if i.Address.IsValid() {
		address, private := i.Address.String(), fargo.PrivateDNSName(t.Scope.Region, i.Address)
		association := plan.AutoAssigned(i.Public, plan.OwnerAmazon)
		shape.PrivateDnsName, shape.PrivateIpAddress, shape.Association = &private, &address, association
		shape.PrivateIpAddresses = []ec2.NetworkInterfacePrivateIpAddress{{Primary: new(true), PrivateDnsName: &private, PrivateIpAddress: &address, Association: association}}
	}
	if i.IPv6.IsValid() {
		shape.Ipv6Addresses = []ec2.NetworkInterfaceIpv6Address{{Ipv6Address: new(i.IPv6.String()), IsPrimaryIpv6: new(false)}}
	}
	for _, id := range i.Groups {
		name := id
		if g, ok := store.EC2SecurityGroups.Get(r, t.Scope.Key(id)); ok {
			name = *g.Group.GroupName
		}
		shape.Groups = append(shape.Groups, ec2.GroupIdentifier{GroupId: &id, GroupName: &name})
	}
	return &record.EC2NetworkInterface{Scope: t.Scope, Interface: shape, TaskARN: t.ARN(), CreatedAt: now}
}
