package control

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"testing"

	"fargo/aws/ec2"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// BenchmarkAdvance measures what a node's session computes for one change of 50 VPCs
// with 10 security groups and 40 interfaces each.
func BenchmarkAdvance(b *testing.B) {
	db, err := store.Open(context.Background(), store.NewMemory())
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	update := func(fn func(*store.Tx)) {
		if err := db.Update(context.Background(), func(tx *store.Tx) error { fn(tx); return nil }); err != nil {
			b.Fatal(err)
		}
	}
	group := func(v, g int, port int32) *record.EC2SecurityGroup {
		id := fmt.Sprintf("sg-%d-%d", v, g)
		sg := &record.EC2SecurityGroup{Scope: home, Group: ec2.SecurityGroup{GroupId: &id, VpcId: new(fmt.Sprintf("vpc-%d", v))}}
		for range 5 {
			sg.Rules = append(sg.Rules, ec2.SecurityGroupRule{
				IpProtocol: new("tcp"), FromPort: &port, ToPort: &port, CidrIpv4: new("0.0.0.0/0"), IsEgress: new(false),
			})
		}
		return sg
	}
	iface := func(v, n int) *record.EC2NetworkInterface {
		return &record.EC2NetworkInterface{Scope: home, Interface: ec2.NetworkInterface{
			NetworkInterfaceId: new(fmt.Sprintf("eni-%d-%d", v, n)), VpcId: new(fmt.Sprintf("vpc-%d", v)), SubnetId: new("subnet-1"),
			PrivateIpAddress: new(fmt.Sprintf("10.%d.0.%d", v, 4+n)), Groups: []ec2.GroupIdentifier{{GroupId: new(fmt.Sprintf("sg-%d-%d", v, n%10))}},
		}}
	}
	update(func(tx *store.Tx) {
		for v := range 50 {
			id := fmt.Sprintf("vpc-%d", v)
			store.EC2VPCs.Put(tx, &record.EC2VPC{Scope: home, DNSSupport: true, DNSHostnames: true, VPC: ec2.Vpc{VpcId: &id, CidrBlockAssociationSet: []ec2.VpcCidrBlockAssociation{{CidrBlock: new(fmt.Sprintf("10.%d.0.0/16", v))}}}})
			store.EC2RouteTables.Put(tx, &record.EC2RouteTable{Scope: home, RouteTable: ec2.RouteTable{
				RouteTableId: new(fmt.Sprintf("rtb-%d", v)), VpcId: &id, Associations: []ec2.RouteTableAssociation{{Main: new(true)}},
			}})
			for s := range 6 {
				store.EC2Subnets.Put(tx, &record.EC2Subnet{Scope: home, Subnet: ec2.Subnet{
					SubnetId: new(fmt.Sprintf("subnet-%d-%d", v, s)), VpcId: &id, CidrBlock: new(fmt.Sprintf("10.%d.%d.0/24", v, s)),
				}})
			}
			for g := range 10 {
				store.EC2SecurityGroups.Put(tx, group(v, g, 80))
			}
			for n := range 40 {
				store.EC2NetworkInterfaces.Put(tx, iface(v, n))
			}
		}
	})
	s := &nodeState{plane: &Plane{DB: db, Sessions: NewSessions(), Logger: slog.New(slog.DiscardHandler)}, node: "a"}
	s.begin(db.View())
	measure := func(name string, table string, key string, put func(*store.Tx, int)) {
		b.Run(name, func(b *testing.B) {
			for n := 0; b.Loop(); n++ {
				b.StopTimer()
				update(func(tx *store.Tx) { put(tx, n) })
				b.StartTimer()
				if d := s.advance(db.View(), []store.Change{{Table: table, Key: key}}); desired.Empty(&d) {
					b.Fatal("nothing has changed")
				}
			}
		})
	}
	measure("a security group", store.EC2SecurityGroups.Name(), home.Key("sg-7-3"), func(tx *store.Tx, n int) {
		store.EC2SecurityGroups.Put(tx, group(7, 3, int32(81+n%2)))
	})
	measure("a public interface", store.EC2NetworkInterfaces.Name(), home.Key("eni-7-101"), func(tx *store.Tx, n int) {
		i := iface(7, 101)
		a := plan.AutoAssigned(netip.AddrFrom4([4]byte{240, 0, 0, byte(1 + n%2)}), plan.OwnerAmazon)
		i.Interface.PrivateIpAddresses = []ec2.NetworkInterfacePrivateIpAddress{{PrivateIpAddress: i.Interface.PrivateIpAddress, Association: a}}
		store.EC2NetworkInterfaces.Put(tx, i)
	})
	measure("an interface", store.EC2NetworkInterfaces.Name(), home.Key("eni-7-100"), func(tx *store.Tx, n int) {
		if i := iface(7, 100); n%2 == 0 {
			store.EC2NetworkInterfaces.Put(tx, i)
		} else {
			store.EC2NetworkInterfaces.Delete(tx, i.Key())
		}
	})
}
