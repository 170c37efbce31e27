package control

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"fargo"
	"fargo/aws/ec2"
	"fargo/aws/elbv2"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// TestFollow holds, whatever happens to tasks, interfaces, groups, networks and
// load balancers: who followed a node knows all that the node should be doing,
// and nothing else.
func TestFollow(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		synctest.Test(t, func(*testing.T) {
			w := newWorld(rt)
			defer w.stop()
			w.plane.Puller = noImages{}
			ctx, cancel := context.WithCancel(context.Background())
			var known desired.State
			sent, ended := 0, make(chan error, 1)
			go func() {
				ended <- w.plane.Follow(ctx, "a", func(d desired.Delta) error {
					if sent++; sent > 1 && desired.Empty(&d) {
						rt.Error("sent an empty delta")
					}
					known = desired.Apply(known, &d)
					return nil
				})
			}()
			for range rapid.IntRange(1, 20).Draw(rt, "steps") {
				w.change(rt)
				if rapid.Bool().Draw(rt, "more at once") {
					w.change(rt)
				}
				synctest.Wait()
				if diff := cmp.Diff(inOrder(w.desired("a")), inOrder(known), cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{}, netip.Prefix{})); diff != "" {
					rt.Fatalf("what is known is not what is desired (-want +got):\n%s", diff)
				}
			}
			cancel()
			<-ended
		})
	})
}

func inOrder(d desired.State) desired.State {
	d.Tasks, d.VPCs, d.Records = slices.Clone(d.Tasks), slices.Clone(d.VPCs), slices.Clone(d.Records)
	slices.SortFunc(d.Tasks, func(a, b desired.Assignment) int { return strings.Compare(a.TaskARN, b.TaskARN) })
	slices.SortFunc(d.VPCs, func(a, b desired.VPC) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(d.Records, func(a, b desired.Record) int { return strings.Compare(a.Key(), b.Key()) })
	return d
}

// change changes something that a node should know of.
func (w *world) change(rt *rapid.T) {
	switch rapid.IntRange(0, 8).Draw(rt, "what") {
	case 0, 1:
		w.step(rt)
	case 2:
		w.group(rt)
	case 3:
		w.changeGroups(rt)
	case 4:
		w.end(rt)
	case 5:
		w.balance(rt)
	case 6, 7:
		w.network(rt)
	case 8:
		w.associate(rt)
	}
}

var someGroups = []string{"sg-1", "sg-2", "sg-3"}

// group makes, changes or deletes a security group.
func (w *world) group(rt *rapid.T) {
	id := rapid.SampledFrom(someGroups).Draw(rt, "group")
	port := rapid.Int32Range(0, 3).Draw(rt, "port")
	w.update(func(tx *store.Tx) {
		if port == 0 {
			store.EC2SecurityGroups.Delete(tx, home.Key(id))
			return
		}
		store.EC2SecurityGroups.Put(tx, &record.EC2SecurityGroup{
			Scope: home, Group: ec2.SecurityGroup{GroupId: &id, VpcId: new("vpc-1")},
			Rules: []ec2.SecurityGroupRule{
				{IpProtocol: new("tcp"), FromPort: &port, ToPort: &port, CidrIpv4: new("0.0.0.0/0"), IsEgress: new(false)},
				{IpProtocol: new("-1"), PrefixListId: new("pl-1"), IsEgress: new(true)},
			},
		})
	})
}

// network makes, changes or deletes a part of one of two networks.
func (w *world) network(rt *rapid.T) {
	vpc := rapid.SampledFrom([]string{"vpc-1", "vpc-2"}).Draw(rt, "vpc")
	one := func(of ...string) string { return rapid.SampledFrom(of).Draw(rt, "one") }
	switch table := rapid.SampledFrom(slices.Sorted(maps.Keys(networkParts))).Draw(rt, "part"); table {
	case store.EC2VPCs.Name():
		change(w, rt, store.EC2VPCs, &record.EC2VPC{Scope: home, VPC: ec2.Vpc{VpcId: &vpc}, DNSSupport: rapid.Bool().Draw(rt, "dns"), DNSHostnames: rapid.Bool().Draw(rt, "names")})
	case store.EC2Subnets.Name():
		change(w, rt, store.EC2Subnets, &record.EC2Subnet{Scope: home, Subnet: ec2.Subnet{
			SubnetId: new("subnet-2"), VpcId: &vpc, CidrBlock: new(one("10.0.1.0/24", "10.0.2.0/24")), AvailabilityZone: new("us-east-1a"),
		}})
	case store.EC2RouteTables.Name():
		change(w, rt, store.EC2RouteTables, &record.EC2RouteTable{Scope: home, RouteTable: ec2.RouteTable{
			RouteTableId: new("rtb-" + vpc), VpcId: &vpc, Associations: []ec2.RouteTableAssociation{{Main: new(true)}},
			Routes: []ec2.Route{
				{DestinationCidrBlock: new(one("0.0.0.0/0", "192.0.2.0/24")), GatewayId: new(one("igw-1", "vpce-1"))},
				{DestinationPrefixListId: new("pl-1"), NatGatewayId: new("nat-1")},
				{DestinationIpv6CidrBlock: new("::/0"), EgressOnlyInternetGatewayId: new("eigw-1")},
				{DestinationCidrBlock: new("10.9.0.0/16"), VpcPeeringConnectionId: new("pcx-1")},
			},
		}})
	case store.EC2InternetGateways.Name():
		change(w, rt, store.EC2InternetGateways, &record.EC2InternetGateway{Scope: home, Gateway: ec2.InternetGateway{
			InternetGatewayId: new("igw-1"), Attachments: []ec2.InternetGatewayAttachment{{VpcId: &vpc}},
		}})
	case store.EC2EgressOnlyGateways.Name():
		change(w, rt, store.EC2EgressOnlyGateways, &record.EC2EgressOnlyGateway{Scope: home, Gateway: ec2.EgressOnlyInternetGateway{
			EgressOnlyInternetGatewayId: new("eigw-1"), Attachments: []ec2.InternetGatewayAttachment{{VpcId: &vpc}},
		}})
	case store.EC2NATGateways.Name():
		change(w, rt, store.EC2NATGateways, &record.EC2NATGateway{Scope: home, Gateway: ec2.NatGateway{
			NatGatewayId: new("nat-1"), VpcId: &vpc, SubnetId: new("subnet-1"), State: ec2.NatGatewayState(one("pending", "available")),
			NatGatewayAddresses: []ec2.NatGatewayAddress{{PrivateIp: new("10.0.0.12"), PublicIp: new("240.0.0.1"), Status: ec2.NatGatewayAddressStatusSucceeded}},
		}})
	case store.EC2VPCEndpoints.Name():
		change(w, rt, store.EC2VPCEndpoints, &record.EC2VPCEndpoint{Scope: home, Endpoint: ec2.VpcEndpoint{
			VpcEndpointId: new("vpce-1"), VpcId: &vpc, VpcEndpointType: ec2.VpcEndpointTypeGateway, State: ec2.State(one("pending", "available")),
			ServiceName: new("com.amazonaws.us-east-1.s3"),
		}})
	case store.EC2PrefixLists.Name():
		change(w, rt, store.EC2PrefixLists, &record.EC2PrefixList{
			Scope: home, List: ec2.ManagedPrefixList{PrefixListId: new("pl-1")}, Versions: [][]ec2.PrefixListEntry{{{Cidr: new(one("192.0.2.0/25", "198.51.100.0/24"))}}},
		})
	case store.EC2NetworkACLs.Name():
		change(w, rt, store.EC2NetworkACLs, &record.EC2NetworkACL{Scope: home, ACL: ec2.NetworkAcl{
			NetworkAclId: new("acl-" + vpc), VpcId: &vpc, IsDefault: new(true), Entries: []ec2.NetworkAclEntry{{
				RuleNumber: new(int32(100)), CidrBlock: new("0.0.0.0/0"), Protocol: new(one("6", "17")), RuleAction: ec2.RuleActionAllow,
			}},
		}})
	case store.EC2Peerings.Name():
		end := func(id string) *ec2.VpcPeeringConnectionVpcInfo {
			return &ec2.VpcPeeringConnectionVpcInfo{VpcId: &id, OwnerId: &home.Account, Region: &home.Region, PeeringOptions: &ec2.VpcPeeringConnectionOptionsDescription{
				AllowDnsResolutionFromRemoteVpc: new(rapid.Bool().Draw(rt, "resolves")),
			}}
		}
		change(w, rt, store.EC2Peerings, &record.EC2Peering{Scope: home, Connection: ec2.VpcPeeringConnection{
			VpcPeeringConnectionId: new("pcx-1"), RequesterVpcInfo: end("vpc-1"), AccepterVpcInfo: end("vpc-2"),
			Status: &ec2.VpcPeeringConnectionStateReason{Code: ec2.VpcPeeringConnectionStateReasonCode(one("active", "deleted"))},
		}})
	case store.EC2SecurityGroups.Name():
		w.group(rt)
	default:
		rt.Fatalf("no change of %s", table)
	}
}

// change stores a record, or deletes the one in its place.
func change[T any, V interface {
	*T
	Key() string
}](w *world, rt *rapid.T, t *store.Table[T], v V) {
	gone := rapid.IntRange(0, 4).Draw(rt, "gone") == 0
	w.update(func(tx *store.Tx) {
		if gone {
			t.Delete(tx, v.Key())
			return
		}
		t.Put(tx, v)
	})
}

// changeGroups moves an interface to other groups.
func (w *world) changeGroups(rt *rapid.T) {
	all := slices.Collect(store.EC2NetworkInterfaces.All(w.db.View()))
	if len(all) == 0 {
		return
	}
	moved := *rapid.SampledFrom(all).Draw(rt, "interface")
	moved.Interface.Groups = nil
	for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom(someGroups), 0, 3, rapid.ID).Draw(rt, "groups") {
		moved.Interface.Groups = append(moved.Interface.Groups, ec2.GroupIdentifier{GroupId: &id})
	}
	w.update(func(tx *store.Tx) { store.EC2NetworkInterfaces.Put(tx, &moved) })
}

// associate gives an interface a public address, which another may have had, or none.
func (w *world) associate(rt *rapid.T) {
	all := slices.Collect(store.EC2NetworkInterfaces.All(w.db.View()))
	if len(all) == 0 {
		return
	}
	to := rapid.SampledFrom(all).Draw(rt, "interface")
	public := rapid.SampledFrom([]string{"", "240.0.0.1", "240.0.0.2"}).Draw(rt, "public")
	w.update(func(tx *store.Tx) {
		for other := range store.EC2NetworkInterfaces.By(tx, store.InterfaceByPublic, public) {
			store.EC2NetworkInterfaces.Put(tx, other.WithAssociation(*other.Interface.PrivateIpAddress, nil))
		}
		address, _ := netip.ParseAddr(public)
		a := plan.AutoAssigned(address, plan.OwnerAmazon)
		store.EC2NetworkInterfaces.Put(tx, to.WithAssociation(*to.Interface.PrivateIpAddress, a))
	})
}

// end asks a task to stop, held by a target or not.
func (w *world) end(rt *rapid.T) {
	all := w.tasks()
	if len(all) == 0 {
		return
	}
	ending := *rapid.SampledFrom(all).Draw(rt, "task")
	ending.Desired, ending.StopCode, ending.StoppedReason = fargo.TaskStopped, fargo.StopUserInitiated, "enough"
	ending.Targets = nil
	if rapid.Bool().Draw(rt, "held") {
		ending.Targets = []record.TargetRef{{Group: theGroup, ID: "10.0.0.9", Port: 80}}
	}
	w.update(func(tx *store.Tx) { store.Tasks.Put(tx, &ending) })
}

// balance makes or deletes a load balancer that is open to all, and a target.
func (w *world) balance(rt *rapid.T) {
	if len(w.tasks())%2 == 0 || w.target() == nil {
		w.balanced()
	}
	on := rapid.Bool().Draw(rt, "on")
	w.update(func(tx *store.Tx) {
		if !on {
			store.ELBLoadBalancers.Delete(tx, theBalancer)
			return
		}
		store.ELBLoadBalancers.Put(tx, &record.ELBLoadBalancer{
			Scope: home, Interfaces: []desired.Interface{{ID: "eni-lb", VPC: "vpc-1", Address: netip.MustParseAddr("10.0.0.13")}},
			LoadBalancer: elbv2.LoadBalancer{
				LoadBalancerArn: new(theBalancer), VpcId: new("vpc-1"), DNSName: new("web.elb"), Type: elbv2.LoadBalancerTypeEnumNetwork,
				AvailabilityZones: []elbv2.AvailabilityZone{{ZoneName: new("us-east-1a")}}, CreatedTime: new(time.Now()),
			},
		})
	})
}

// desired is all that a node should be doing, as of now.
func (w *world) desired(node string) desired.State {
	d := (&nodeState{plane: w.plane, node: node}).begin(w.plane.DB.View())
	return desired.Apply(desired.State{}, &d)
}
