package control

import (
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

// A task that asks for a public address has one as long as its interface: it is what
// the node is told and what EC2 shows, and the next task can have it afterwards. The
// range of the test has room for two.
func TestTaskHasAPublicAddress(t *testing.T) {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tasks := Tasks(noImages{}, netip.MustParsePrefix("203.0.113.0/30"), egressCheck{log: slog.New(slog.DiscardHandler), warned: &sync.Map{}}, nil, allowed)
	change := func(fn func(tx *store.Tx)) {
		t.Helper()
		if err := db.Update(t.Context(), func(tx *store.Tx) error { fn(tx); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	reconcile := func(id string) *record.Task {
		t.Helper()
		key := home.Key("c", id)
		change(func(tx *store.Tx) {
			if _, err := tasks.Reconcile(tx, key, time.Now()); err != nil {
				t.Fatal(err)
			}
		})
		task, _ := store.Tasks.Get(db.View(), key)
		return task
	}
	change(func(tx *store.Tx) {
		store.Nodes.Put(tx, &record.Node{ID: "node-1", State: record.NodeActive})
		store.EC2Subnets.Put(tx, &record.EC2Subnet{Scope: home, Subnet: ec2.Subnet{
			SubnetId: new("subnet-1"), VpcId: new("vpc-1"), AvailabilityZone: new("us-east-1a"), CidrBlock: new("10.0.0.0/24"),
		}})
		for id, public := range map[string]ecs.AssignPublicIp{
			"a": ecs.AssignPublicIpEnabled, "b": ecs.AssignPublicIpEnabled, "c": ecs.AssignPublicIpEnabled, "d": ecs.AssignPublicIpDisabled,
		} {
			store.Tasks.Put(tx, &record.Task{
				Scope: home, ID: id, Cluster: "c", Status: fargo.TaskProvisioning, Desired: fargo.TaskRunning,
				Network: &ecs.AwsVpcConfiguration{Subnets: []string{"subnet-1"}, AssignPublicIp: public},
				Intent:  ecs.Task{TaskDefinitionArn: new("web:1"), Attachments: []ecs.Attachment{{Id: new("eni")}}},
			})
		}
	})

	a, b, c, d := reconcile("a"), reconcile("b"), reconcile("c"), reconcile("d")
	if !a.Interface.Public.IsValid() || !b.Interface.Public.IsValid() || a.Interface.Public == b.Interface.Public {
		t.Fatalf("they have %v and %v", a.Interface.Public, b.Interface.Public)
	}
	shown, _ := store.EC2NetworkInterfaces.Get(db.View(), home.Key(a.Interface.ID))
	if shown.Public() != a.Interface.Public || *shown.Interface.Association.IpOwnerId != "amazon" || shown.Interface.Association.AllocationId != nil {
		t.Errorf("EC2 shows %+v", shown.Interface.Association)
	}
	if !c.Stopped() || c.StopCode != fargo.StopTaskFailedToStart {
		t.Errorf("without an address: %s, %s", c.LastStatus(), c.StoppedReason)
	}
	if d.Interface == nil || d.Interface.Public.IsValid() {
		t.Errorf("one that does not ask: %+v", d.Interface)
	}

	change(func(tx *store.Tx) {
		ended := *a
		ended.Desired, ended.Status, ended.StoppedAt = fargo.TaskStopped, fargo.TaskStopped, time.Now()
		store.Tasks.Put(tx, &ended)
		store.Tasks.Put(tx, &record.Task{
			Scope: home, ID: "e", Cluster: "c", Status: fargo.TaskProvisioning, Desired: fargo.TaskRunning,
			Network: b.Network, Intent: ecs.Task{TaskDefinitionArn: new("web:1"), Attachments: []ecs.Attachment{{Id: new("eni")}}},
		})
	})
	reconcile("a")
	if store.PublicAddressTaken(db.View(), a.Interface.Public) {
		t.Error("the address of a stopped task is still taken")
	}
	if e := reconcile("e"); e.Interface == nil || e.Interface.Public != a.Interface.Public {
		t.Errorf("the next has %+v", e.Interface)
	}
}
