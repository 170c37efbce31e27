package control

import (
	"bytes"
	"log/slog"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fargo"
	"fargo/aws/ecs"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// A task that Fargate could not have prepared runs and says what was missing, which is
// logged once for all of its like; with strict egress it does not run.
func TestEgress(t *testing.T) {
	for _, strict := range []bool{false, true} {
		w := newWorld(t)
		w.stop() // its controllers; the state stays
		db, err := store.Open(t.Context(), store.NewMemory())
		if err != nil {
			t.Fatal(err)
		}
		w.db = db
		seedNetwork(t, w)
		var logged bytes.Buffer
		tasks := Tasks(noImages{}, netip.Prefix{}, egressCheck{strict: strict, log: slog.New(slog.NewTextHandler(&logged, nil)), warned: &sync.Map{}}, nil, allowed)
		for range 2 {
			key := w.run().Key()
			w.update(func(tx *store.Tx) {
				if _, err := tasks.Reconcile(tx, key, time.Now()); err != nil {
					t.Fatal(err)
				}
			})
			got, _ := store.Tasks.Get(db.View(), key)
			if strings.Join(got.Unreachable, " ") != "registry-1.docker.io" {
				t.Errorf("unreachable: %q", got.Unreachable)
			}
			shown := ecs.Attribute{Name: new("fargo.unreachable"), Value: new("registry-1.docker.io")}
			if a := plan.TaskView(got).Attributes; !slices.ContainsFunc(a, func(a ecs.Attribute) bool { return reflect.DeepEqual(a, shown) }) {
				t.Errorf("DescribeTasks does not show it: %v", a)
			}
			switch {
			case strict && (got.Status != fargo.TaskStopped || got.StopCode != fargo.StopTaskFailedToStart || !strings.HasSuffix(got.StoppedReason, "i/o timeout")):
				t.Errorf("strict: %s %s %s", got.Status, got.StopCode, got.StoppedReason)
			case !strict && got.Status != fargo.TaskPending:
				t.Errorf("%s", got.Status)
			}
		}
		if lines := strings.Count(logged.String(), "unreachable=registry-1.docker.io"); strict && lines > 0 || !strict && lines != 1 {
			t.Errorf("strict %t: logged %s", strict, &logged)
		}
		db.Close()
	}
}

// Each region with a VPC is served with a certificate, and the one of names without a
// region; it goes with the region's last VPC.
func TestPlatformCertificates(t *testing.T) {
	w := newWorld(t)
	defer w.stop()
	regions := func(want string) {
		t.Helper()
		watch := w.db.Watch(store.PlatformCertificates.Any())
		defer watch.Close()
		for {
			var got []string
			for c := range store.PlatformCertificates.All(w.db.View()) {
				got = append(got, c.Region)
			}
			if strings.Join(got, " ") == want {
				return
			}
			if _, err := watch.Next(t.Context()); err != nil {
				t.Fatalf("%q, want %q: %v", got, want, err)
			}
		}
	}
	regions("us-east-1")
	v, _ := store.EC2VPCs.Get(w.db.View(), home.Key("vpc-1"))
	other := *v
	other.Scope.Region = "eu-west-1"
	w.update(func(tx *store.Tx) { store.EC2VPCs.Put(tx, &other) })
	regions("eu-west-1 us-east-1")
	w.plane.Upstream = "http://127.0.0.1:4566"
	p := w.desired("a").Platform
	if len(p.Certificates) != 2 || p.CA == "" || !strings.Contains(strings.Join(p.Names, " "), "ecs.eu-west-1.amazonaws.com") {
		t.Errorf("nodes get %+v", p)
	}
	for _, c := range p.Certificates {
		if key, err := w.plane.Secret(t.Context(), "a", c.KeyID); err != nil || !strings.Contains(key.Reveal(), "PRIVATE KEY") {
			t.Errorf("its key: %v", err)
		}
	}
	w.update(func(tx *store.Tx) { store.EC2VPCs.Delete(tx, other.Key()) })
	regions("us-east-1")
}

// seedNetwork is a copy of the world's state without controllers.
func seedNetwork(t *testing.T, w *world) {
	t.Helper()
	fresh := newWorld(t)
	view := fresh.db.View()
	fresh.stop()
	w.update(func(tx *store.Tx) {
		for v := range store.EC2VPCs.All(view) {
			store.EC2VPCs.Put(tx, v)
		}
		for s := range store.EC2Subnets.All(view) {
			store.EC2Subnets.Put(tx, s)
		}
		for d := range store.TaskDefinitions.All(view) {
			store.TaskDefinitions.Put(tx, d)
		}
		store.Nodes.Put(tx, &record.Node{ID: "a", State: record.NodeActive})
	})
}
