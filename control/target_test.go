package control

import (
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fargo/aws/elbv2"
	"fargo/desired"
	"fargo/record"
	"fargo/store"
)

const (
	theGroup    = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/1"
	theListener = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/web/1/1"
	theBalancer = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/1"
)

// balanced puts a load balancer with one listener, one group and one target
// into a world.
func (w *world) balanced() *record.ELBTarget {
	t := &record.ELBTarget{Group: theGroup, ID: "10.0.0.9", Port: 80, Zone: "us-east-1a", RegisteredAt: time.Now()}
	w.update(func(tx *store.Tx) {
		store.ELBTargetGroups.Put(tx, &record.ELBTargetGroup{
			Scope: home, TargetGroup: elbv2.TargetGroup{TargetGroupArn: new(theGroup), TargetType: elbv2.TargetTypeEnumIp},
			Attributes: map[string]string{"deregistration_delay.timeout_seconds": "30"},
		})
		store.ELBLoadBalancers.Put(tx, &record.ELBLoadBalancer{Scope: home, LoadBalancer: elbv2.LoadBalancer{
			LoadBalancerArn: new(theBalancer), VpcId: new("vpc-1"), AvailabilityZones: []elbv2.AvailabilityZone{{ZoneName: new("us-east-1a")}},
		}, Interfaces: []desired.Interface{{ID: "eni-lb", VPC: "vpc-1", Address: netip.MustParseAddr("10.0.0.13")}}})
		store.ELBListeners.Put(tx, &record.ELBListener{Scope: home, Listener: elbv2.Listener{
			ListenerArn: new(theListener), LoadBalancerArn: new(theBalancer), Protocol: elbv2.ProtocolEnumHttp, Port: new(int32(80)),
			DefaultActions: []elbv2.Action{{Type: elbv2.ActionTypeEnumForward, TargetGroupArn: new(theGroup)}},
		}})
		store.ELBTargets.Put(tx, t)
	})
	return t
}

func (w *world) target() *record.ELBTarget {
	for t := range store.ELBTargets.All(w.db.View()) {
		return t
	}
	return nil
}

func (w *world) drain() {
	w.update(func(tx *store.Tx) {
		c := *w.target()
		c.DrainingSince = time.Now()
		store.ELBTargets.Put(tx, &c)
	})
}

// TestDraining holds that a target goes when its group's delay has passed, also
// when the delay was changed meanwhile, and not before.
func TestDraining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.stop()
		w.balanced()
		w.drain()
		time.Sleep(30*time.Second - time.Nanosecond)
		synctest.Wait()
		if w.target() == nil {
			t.Fatal("gone before its time")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if w.target() != nil {
			t.Fatal("still there after its time")
		}

		w.balanced()
		w.drain()
		time.Sleep(time.Second)
		w.update(func(tx *store.Tx) {
			g, _ := store.ELBTargetGroups.Get(tx, theGroup)
			c := *g
			c.Attributes = map[string]string{"deregistration_delay.timeout_seconds": "1"}
			store.ELBTargetGroups.Put(tx, &c)
		})
		synctest.Wait()
		if w.target() != nil {
			t.Fatal("still there after its new, shorter time")
		}
	})
}

// TestOutOfUse holds that a target whose group goes out of use is known to be
// neither healthy nor not, and that it need not drain.
func TestOutOfUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.stop()
		at := w.balanced().RegisteredAt
		synctest.Wait()
		report := desired.TargetReport{Group: theGroup, ID: "10.0.0.9", Port: 80, RegisteredAt: at, State: "healthy"}
		w.plane.ReportTargets(t.Context(), "a", []desired.TargetReport{report})
		if w.target().Health == nil {
			t.Fatal("the report was lost")
		}
		w.update(func(tx *store.Tx) { store.ELBListeners.Delete(tx, theListener) })
		synctest.Wait()
		if h := w.target().Health; h != nil {
			t.Fatalf("still %s", h.State)
		}
		w.plane.ReportTargets(t.Context(), "a", []desired.TargetReport{report})
		if w.target().Health != nil {
			t.Fatal("a report that came late was believed")
		}
		w.drain()
		synctest.Wait()
		if w.target() != nil {
			t.Fatal("drains though nobody sends it requests")
		}
	})
}

// TestReportTargets holds whose word is taken about a target, and that saying
// the same again changes nothing.
func TestReportTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.stop()
		at := w.balanced().RegisteredAt
		synctest.Wait()
		say := func(node, state string, registered time.Time) {
			r := desired.TargetReport{Group: theGroup, ID: "10.0.0.9", Port: 80, RegisteredAt: registered, State: state}
			if err := w.plane.ReportTargets(t.Context(), node, []desired.TargetReport{r}); err != nil {
				t.Fatal(err)
			}
		}
		say("b", "healthy", at)
		say("a", "healthy", at.Add(-time.Second))
		if w.target().Health != nil {
			t.Fatal("another node, or one that spoke of an earlier target, was believed")
		}
		say("a", "healthy", at)
		before := w.db.View()
		say("a", "healthy", at)
		if w.db.View() != before {
			t.Error("the same word was written twice")
		}
		w.drain()
		say("a", "unhealthy", at)
		if h := w.target().Health; h.State != elbv2.TargetHealthStateEnumHealthy {
			t.Errorf("a draining target became %s", h.State)
		}
	})
}

// TestDesiredBalancers holds that a node is told of the load balancers' interfaces
// that are on it, in VPCs that it is told of, and of no others; and that another node
// gets them when theirs is lost.
func TestDesiredBalancers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.stop()
		leave := w.join(desired.Hello{ID: "b"})
		synctest.Wait()
		w.balanced()
		synctest.Wait()
		for lb := range store.ELBLoadBalancers.All(w.db.View()) {
			onB := *lb
			onB.Nodes = map[string]string{"eni-lb": "b"}
			w.update(func(tx *store.Tx) { store.ELBLoadBalancers.Put(tx, &onB) })
		}
		check := func(on, off string) {
			t.Helper()
			synctest.Wait()
			told, other := w.desired(on), w.desired(off)
			if len(told.Balancers) != 1 || len(told.Balancers[0].Interfaces) != 1 || len(told.Groups) != 1 || len(told.Groups[0].Targets) != 1 ||
				!slices.ContainsFunc(told.VPCs, func(v desired.VPC) bool { return v.ID == "vpc-1" }) {
				t.Errorf("node %s is told %+v", on, told)
			}
			if len(other.Balancers)+len(other.Groups) != 0 {
				t.Errorf("node %s is told %+v", off, other)
			}
		}
		check("b", "a")
		leave()
		time.Sleep(119 * time.Second)
		check("b", "a")
		time.Sleep(2 * time.Second)
		check("a", "b")
		w.join(desired.Hello{ID: "b"})
		check("a", "b")
	})
}

// TestCheckerChanges holds that what a node reported while another was the checker is
// taken over when the node becomes the checker itself: it does not report again what has
// not changed. The same holds for a group that is out of use for a moment.
func TestCheckerChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.stop()
		defer w.join(desired.Hello{ID: "b"})()
		synctest.Wait()
		at := w.balanced().RegisteredAt
		synctest.Wait()
		report := desired.TargetReport{Group: theGroup, ID: "10.0.0.9", Port: 80, RegisteredAt: at, State: "healthy"}
		if err := w.plane.ReportTargets(t.Context(), "b", []desired.TargetReport{report}); err != nil {
			t.Fatal(err)
		}
		if h := w.target().Health; h != nil {
			t.Fatalf("%s, as a node says that is not the checker", h.State)
		}
		w.update(func(tx *store.Tx) {
			lb, _ := store.ELBLoadBalancers.Get(tx, theBalancer)
			moved := *lb
			moved.Nodes = map[string]string{"eni-lb": "b"}
			store.ELBLoadBalancers.Put(tx, &moved)
		})
		synctest.Wait()
		if w.target().Health == nil {
			t.Fatal("what the new checker reported before is lost")
		}
		listener, _ := store.ELBListeners.Get(w.db.View(), theListener)
		w.update(func(tx *store.Tx) { store.ELBListeners.Delete(tx, theListener) })
		w.update(func(tx *store.Tx) { store.ELBListeners.Put(tx, listener) })
		synctest.Wait()
		if w.target().Health == nil {
			t.Fatal("nothing is known of a target that is checked all the time")
		}
	})
}
