package control

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fargo"
	"fargo/aws/ec2"
	"fargo/aws/ecs"
	"fargo/aws/elbv2"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

const webDefinition = "arn:aws:ecs:us-east-1:123456789012:task-definition/web:1"

// serve puts a service into a world, its tasks in the subnets named.
func (w *world) serve(desired int, subnets ...string) { w.serveBehind(nil, desired, subnets...) }

// serveBehind is serve, with load balancers.
func (w *world) serveBehind(balancers []ecs.LoadBalancer, desired int, subnets ...string) {
	w.update(func(tx *store.Tx) {
		store.Clusters.Put(tx, &record.Cluster{Scope: home, Cluster: ecs.Cluster{ClusterName: new("c"), ClusterArn: new("arn:aws:ecs:us-east-1:123456789012:cluster/c")}})
		s := &record.Service{Scope: home, Cluster: "c", Service: ecs.Service{
			ServiceName: new("web"), ServiceArn: new("arn:aws:ecs:us-east-1:123456789012:service/c/web"), Status: new("ACTIVE"),
			DesiredCount: new(int32(desired)), AvailabilityZoneRebalancing: ecs.AvailabilityZoneRebalancingEnabled,
		}}
		revision := ecs.ServiceRevision{
			TaskDefinition: new(webDefinition), LaunchType: ecs.LaunchTypeFargate, LoadBalancers: balancers,
			NetworkConfiguration: &ecs.NetworkConfiguration{AwsvpcConfiguration: &ecs.AwsVpcConfiguration{Subnets: subnets}},
		}
		for _, d := range plan.Begin(s, revision, nil, nil, nil, fargo.NewDeploymentDigits(), "u", time.Now()) {
			store.Deployments.Put(tx, d)
		}
		store.Services.Put(tx, s)
	})
}

// zones are those of the service's tasks that are wanted.
func (w *world) zones() string {
	var out []string
	for _, t := range w.tasks() {
		if t.Service != "" && t.Desired == fargo.TaskRunning {
			out = append(out, strings.TrimPrefix(*t.Intent.AvailabilityZone, "us-east-1"))
		}
	}
	slices.Sort(out)
	return strings.Join(out, "")
}

// runService reports every task of the service as running that is not yet.
func (w *world) runService() {
	for _, t := range w.tasks() {
		if t.Service != "" && t.LastStatus().Before(fargo.TaskRunning) {
			r := desired.TaskReport{TaskARN: t.ARN(), Status: fargo.TaskRunning, StartedAt: time.Now()}
			if err := w.plane.Report(context.Background(), t.Node, []desired.TaskReport{r}); err != nil {
				panic(err)
			}
		}
	}
	synctest.Wait()
}

// TestRebalance holds that a service whose tasks had to go where there was room
// moves one as soon as another zone has an address: into that zone, and no other
// task stops before the new one is healthy.
func TestRebalance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.stop()
		w.update(func(tx *store.Tx) {
			store.EC2Subnets.Put(tx, &record.EC2Subnet{Scope: home, Subnet: ec2.Subnet{
				SubnetId: new("subnet-2"), VpcId: new("vpc-1"), CidrBlock: new("10.0.1.0/29"), AvailabilityZone: new("us-east-1b"),
			}})
		})
		for range 3 { // all that fit into subnet-2
			w.runIn("subnet-2")
		}
		synctest.Wait()
		w.serve(2, "subnet-1", "subnet-2")
		synctest.Wait()
		w.runService()
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := w.zones(); got != "aa" {
			t.Fatalf("while zone b is full: %s", got)
		}
		for _, task := range w.tasks() {
			if task.Service == "" {
				w.report(task, fargo.TaskStopped)
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := w.zones(); got != "aab" {
			t.Fatalf("when it is not any more: %s", got)
		}
		w.runService()
		time.Sleep(39 * time.Second)
		synctest.Wait()
		if got := w.zones(); got != "aab" {
			t.Fatalf("before the new task is healthy: %s", got)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := w.zones(); got != "ab" {
			t.Fatalf("in the end: %s", got)
		}
	})
}

// TestZoneTakenAway holds that a service looks at its tasks again when their load
// balancer is no longer enabled in their zone, or their listener is gone, though no
// target has changed.
func TestZoneTakenAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.stop()
		w.balanced()
		w.serveBehind([]ecs.LoadBalancer{{TargetGroupArn: new(theGroup), ContainerName: new("app"), ContainerPort: new(int32(80))}}, 1, "subnet-1")
		synctest.Wait()
		w.runService()
		time.Sleep(time.Minute)
		synctest.Wait()
		listener, _ := store.ELBListeners.Get(w.db.View(), theListener)
		w.update(func(tx *store.Tx) { store.ELBListeners.Delete(tx, theListener) })
		w.said(t, "Target group is not configured to receive traffic from the load balancer")
		w.update(func(tx *store.Tx) {
			store.ELBListeners.Put(tx, listener)
			lb, _ := store.ELBLoadBalancers.Get(tx, theBalancer)
			next := *lb
			next.LoadBalancer.AvailabilityZones = []elbv2.AvailabilityZone{{ZoneName: new("us-east-1b")}}
			store.ELBLoadBalancers.Put(tx, &next)
		})
		w.said(t, "Target is in an Availability Zone that is not enabled for the load balancer")
	})
}

// said fails unless an event of the service gives a reason.
func (w *world) said(t *testing.T, reason string) {
	t.Helper()
	synctest.Wait()
	var said []string
	for s := range store.Services.All(w.db.View()) {
		for _, e := range s.Events {
			said = append(said, *e.Message)
		}
	}
	if !slices.ContainsFunc(said, func(m string) bool { return strings.Contains(m, "(reason "+reason+")") }) {
		t.Errorf("no event says %q, but %q", reason, said)
	}
}
