package control

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"fargo"
	"fargo/aws/ec2"
	"fargo/aws/ecs"
	"fargo/record"
	"fargo/store"
)

// BenchmarkPlace places tasks as the runner does: a machine, a subnet and an
// address for each, in a state with 6,100 machines.
func BenchmarkPlace(b *testing.B) {
	for _, size := range []int{1, 10, 5000} {
		b.Run(fmt.Sprintf("services of %d", size), func(b *testing.B) {
			const tasks, batch = 10_000, 256
			for range b.N {
				b.StopTimer()
				db, keys := unplaced(b, tasks, size)
				c := Tasks(noImages{}, netip.Prefix{}, egressCheck{log: slog.New(slog.DiscardHandler), warned: &sync.Map{}}, nil, allowed)
				b.StartTimer()
				for i := 0; i < tasks; i += batch {
					update(b, db, func(tx *store.Tx) error {
						for _, key := range keys[i:min(i+batch, tasks)] {
							if _, err := c.Reconcile(tx, key, time.Now()); err != nil {
								return err
							}
						}
						return nil
					})
				}
			}
			b.ReportMetric(float64(b.N)*tasks/b.Elapsed().Seconds(), "placements/s")
		})
	}
}

func update(b *testing.B, db *store.DB, fn func(tx *store.Tx) error) {
	if err := db.Update(context.Background(), fn); err != nil {
		b.Fatal(err)
	}
}

// unplaced is a state with new tasks, and their keys.
func unplaced(b *testing.B, tasks, size int) (db *store.DB, keys []string) {
	db, err := store.Open(b.Context(), store.NewMemory())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	scope := fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}
	network := &ecs.AwsVpcConfiguration{}
	update(b, db, func(tx *store.Tx) error {
		for i := range 6100 {
			store.Nodes.Put(tx, &record.Node{ID: fmt.Sprintf("node-%05d", i), State: record.NodeActive})
		}
		for i := range 3 {
			id, zone, cidr := fmt.Sprint("subnet-", i), fmt.Sprint("zone-", i), fmt.Sprintf("10.%d.0.0/18", i)
			store.EC2Subnets.Put(tx, &record.EC2Subnet{Scope: scope, Subnet: ec2.Subnet{SubnetId: &id, VpcId: new("vpc-1"), AvailabilityZone: &zone, CidrBlock: &cidr}})
			network.Subnets = append(network.Subnets, id)
		}
		for i := range tasks {
			t := &record.Task{
				Scope: scope, ID: fmt.Sprintf("%032x", i), Cluster: "c", Service: fmt.Sprint("web-", i/size), Network: network,
				Status: fargo.TaskProvisioning, Desired: fargo.TaskRunning,
				Intent: ecs.Task{StartedBy: new("ecs-svc/1"), TaskDefinitionArn: new("web:1"), Attachments: []ecs.Attachment{{Id: new("eni")}}},
			}
			store.Tasks.Put(tx, t)
			keys = append(keys, t.Key())
		}
		return nil
	})
	return db, keys
}
