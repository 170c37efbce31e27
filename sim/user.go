package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"fargo"
	"fargo/aws/ec2"
	"fargo/aws/ecs"
	"fargo/aws/elbv2"
	"fargo/aws/iam"
	"fargo/record"
	"fargo/store"
)

// clusterName is the one cluster there is.
const clusterName = "sim"

// maxServices bounds what the user wants at once.
const maxServices = 8

// user asks the control plane for things, through the handlers of package api,
// and remembers what it was answered.
type user struct {
	subnets []string
	vpc     string

	mu struct {
		sync.Mutex
		services map[string]wanted // by name
		tasks    []string          // ARNs that RunTask has answered
		made     int
	}
}

// wanted is what the user knows to be wanted of a service.
type wanted struct {
	count   int
	tight   bool // maximumPercent leaves no room to replace a single task
	deleted bool
	// or is what was wanted before the last call, when that failed and so may or may
	// not have changed it.
	or *wanted
}

// newUser makes the cluster and the task definitions.
func newUser(ctx context.Context, p *plane) (*user, error) {
	u := &user{}
	u.mu.services = map[string]wanted{}
	for s := range store.EC2Subnets.All(p.db.View()) {
		u.subnets, u.vpc = append(u.subnets, *s.Subnet.SubnetId), *s.Subnet.VpcId
	}
	if err := createRole(ctx, p.db); err != nil {
		return nil, fmt.Errorf("create the execution role: %w", err)
	}
	if _, err := p.ecs.CreateCluster(call(ctx), &ecs.CreateClusterInput{ClusterName: new(clusterName)}); err != nil {
		return nil, fmt.Errorf("create the cluster: %w", err)
	}
	for _, image := range slices.Sorted(maps.Keys(images)) {
		check := &ecs.HealthCheck{Command: []string{"CMD", "check"}, Interval: new(int32(10)), Retries: new(int32(2))}
		if err := errors.Join(u.register(ctx, p, image, image, nil), u.register(ctx, p, image+"-checked", image, check)); err != nil {
			return nil, err
		}
	}
	return u, nil
}

const executionRole = "arn:aws:iam::" + fargo.DefaultAccount + ":role/ecsTaskExecutionRole"

// createRole makes the execution role of all tasks.
func createRole(ctx context.Context, db *store.DB) error {
	return db.Update(ctx, func(tx *store.Tx) error {
		store.Roles.Put(tx, &record.Role{Account: fargo.DefaultAccount, Role: iam.Role{
			RoleName: new("ecsTaskExecutionRole"), RoleId: new("AROASIM"), Arn: new(executionRole),
			AssumeRolePolicyDocument: new(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}}`),
		}})
		return nil
	})
}

// register registers a definition with one container.
func (u *user) register(ctx context.Context, p *plane, family, image string, check *ecs.HealthCheck) error {
	_, err := p.ecs.RegisterTaskDefinition(call(ctx), &ecs.RegisterTaskDefinitionInput{
		Family: &family, NetworkMode: ecs.NetworkModeAwsvpc, RequiresCompatibilities: []ecs.Compatibility{ecs.CompatibilityFargate},
		Cpu: new("256"), Memory: new("512"), ExecutionRoleArn: new(executionRole),
		ContainerDefinitions: []ecs.ContainerDefinition{{
			Name: new("app"), Image: &image, Essential: new(true), HealthCheck: check, StopTimeout: new(int32(20)),
			LogConfiguration: &ecs.LogConfiguration{LogDriver: ecs.LogDriverAwslogs, Options: map[string]string{
				"awslogs-group": "/sim", "awslogs-region": scope.Region, "awslogs-stream-prefix": "sim",
			}},
			PortMappings: []ecs.PortMapping{{ContainerPort: new(int32(80))}},
		}},
	})
	if err != nil {
		return fmt.Errorf("register %s: %w", family, err)
	}
	return nil
}

// createLargeSubnets makes subnets with room for 49,000 tasks, and has new ones go there.
func (u *user) createLargeSubnets(ctx context.Context, p *plane) error {
	u.subnets = nil
	for zone, cidr := range map[string]string{"a": "172.31.64.0/18", "b": "172.31.128.0/18", "c": "172.31.192.0/18"} {
		made, err := p.ec2.CreateSubnet(call(ctx), &ec2.CreateSubnetInput{VpcId: &u.vpc, CidrBlock: &cidr, AvailabilityZone: new(scope.Region + zone)})
		if err != nil {
			return fmt.Errorf("create the subnet %s: %w", cidr, err)
		}
		u.subnets = append(u.subnets, *made.Subnet.SubnetId)
	}
	return nil
}

// network is where all tasks are: in the default subnets and security group.
func (u *user) network() *ecs.NetworkConfiguration {
	return &ecs.NetworkConfiguration{AwsvpcConfiguration: &ecs.AwsVpcConfiguration{Subnets: u.subnets, AssignPublicIp: ecs.AssignPublicIpEnabled}}
}

// createPlain creates a service as most are.
func (u *user) createPlain(ctx context.Context, p *plane, name string, count int) error {
	network := u.network()
	network.AwsvpcConfiguration.AssignPublicIp = ecs.AssignPublicIpDisabled // a large cluster has more tasks than there are addresses
	_, err := p.ecs.CreateService(call(ctx), &ecs.CreateServiceInput{
		Cluster: new(clusterName), ServiceName: &name, TaskDefinition: new("plain"), DesiredCount: new(int32(count)),
		LaunchType: ecs.LaunchTypeFargate, NetworkConfiguration: network,
	})
	if err != nil {
		return fmt.Errorf("create %s: %w", name, err)
	}
	return nil
}

// killDelay is after how long a call is interrupted: before, while or after what it
// writes is synced.
func (u *user) killDelay() time.Duration { return time.Duration(rand.Int64N(int64(3 * syncTime))) }

// act asks for something, and remembers what is wanted afterwards.
func (u *user) act(ctx context.Context, p *plane, r *rand.Rand, t *trace) {
	u.mu.Lock()
	names := slices.Sorted(maps.Keys(u.mu.services))
	names = slices.DeleteFunc(names, func(n string) bool { return u.mu.services[n].deleted || u.mu.services[n].or != nil })
	u.mu.Unlock()
	choice := r.IntN(12)
	if len(names) == 0 || (len(names) < maxServices && choice < 3) {
		u.create(ctx, p, r, t)
		return
	}
	name := names[r.IntN(len(names))]
	switch {
	case choice < 8:
		u.update(ctx, p, r, t, name)
	case choice == 8:
		u.change(name, func() error {
			_, err := p.ecs.DeleteService(call(ctx), &ecs.DeleteServiceInput{Cluster: new(clusterName), Service: &name, Force: new(true)})
			return t.call(err, "delete %s", name)
		}, func(w *wanted) { w.deleted = true })
	case choice == 9:
		u.runTask(ctx, p, r, t)
	default:
		u.stopTask(ctx, p, r, t)
	}
}

// change makes a call that changes what is wanted of a service.
func (u *user) change(name string, call func() error, change func(*wanted)) {
	u.mu.Lock()
	before := u.mu.services[name]
	u.mu.Unlock()
	after := before
	change(&after)
	if err := call(); err != nil {
		after.or = &before
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.mu.services[name] = after
}

func (u *user) create(ctx context.Context, p *plane, r *rand.Rand, t *trace) {
	u.mu.Lock()
	u.mu.made++
	name := fmt.Sprintf("s%02d", u.mu.made)
	u.mu.services[name] = wanted{deleted: true} // the same as never created
	u.mu.Unlock()
	bounds := [][2]int32{{100, 200}, {50, 100}, {0, 100}, {50, 150}}[r.IntN(4)]
	tight := bounds[1] < 200 && bounds[0] > 0
	count := someCount(r, tight)
	in := &ecs.CreateServiceInput{
		Cluster: new(clusterName), ServiceName: &name, TaskDefinition: new(definition(r)), DesiredCount: new(int32(count)),
		LaunchType: ecs.LaunchTypeFargate, NetworkConfiguration: u.network(),
		DeploymentConfiguration: &ecs.DeploymentConfiguration{
			MinimumHealthyPercent: &bounds[0], MaximumPercent: &bounds[1],
			DeploymentCircuitBreaker: &ecs.DeploymentCircuitBreaker{Enable: new(r.IntN(2) == 0), Rollback: new(r.IntN(2) == 0)},
		},
	}
	if r.IntN(2) == 0 {
		group, err := u.createLoadBalancer(ctx, p, name)
		if t.call(err, "a load balancer for %s", name) != nil {
			return
		}
		in.LoadBalancers = []ecs.LoadBalancer{{TargetGroupArn: &group, ContainerName: new("app"), ContainerPort: new(int32(80))}}
		in.HealthCheckGracePeriodSeconds = new(int32(30)) // longer than any image takes to pass two checks
	}
	u.change(name, func() error {
		_, err := p.ecs.CreateService(call(ctx), in)
		return t.call(err, "create %s: %d of %s, %d–%d %%, balanced %v", name, count, *in.TaskDefinition, bounds[0], bounds[1], in.LoadBalancers != nil)
	}, func(w *wanted) { *w = wanted{count: count, tight: tight} })
}

// someCount is how many tasks a service may be wanted to have: where the bounds
// are tight, never one, which could not be replaced.
func someCount(r *rand.Rand, tight bool) int {
	if tight {
		return 2 * r.IntN(4)
	}
	return r.IntN(7)
}

// definition is mostly one that works.
func definition(r *rand.Rand) string {
	image := goodImages[r.IntN(len(goodImages))]
	if r.IntN(5) == 0 {
		image = badImages[r.IntN(len(badImages))]
	}
	if r.IntN(2) == 0 {
		image += "-checked"
	}
	return image
}

// balance makes a load balancer, with a target group for a service.
func (u *user) createLoadBalancer(ctx context.Context, p *plane, name string) (group string, err error) {
	lb, err := p.elb.CreateLoadBalancer(call(ctx), &elbv2.CreateLoadBalancerInput{Name: &name, Subnets: u.subnets})
	if err != nil {
		return "", err
	}
	made, err := p.elb.CreateTargetGroup(call(ctx), &elbv2.CreateTargetGroupInput{
		Name: &name, Protocol: elbv2.ProtocolEnumHttp, Port: new(int32(80)), VpcId: &u.vpc, TargetType: elbv2.TargetTypeEnumIp,
		HealthCheckIntervalSeconds: new(int32(5)), HealthCheckTimeoutSeconds: new(int32(2)),
		HealthyThresholdCount: new(int32(2)), UnhealthyThresholdCount: new(int32(2)),
	})
	if err != nil {
		return "", err
	}
	group = *made.TargetGroups[0].TargetGroupArn
	_, err = p.elb.CreateListener(call(ctx), &elbv2.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancers[0].LoadBalancerArn, Protocol: elbv2.ProtocolEnumHttp, Port: new(int32(80)),
		DefaultActions: []elbv2.Action{{Type: elbv2.ActionTypeEnumForward, TargetGroupArn: &group}},
	})
	return group, err
}

func (u *user) update(ctx context.Context, p *plane, r *rand.Rand, t *trace, name string) {
	in := &ecs.UpdateServiceInput{Cluster: new(clusterName), Service: &name}
	u.mu.Lock()
	count, tight := u.mu.services[name].count, u.mu.services[name].tight
	u.mu.Unlock()
	what := "update " + name + ":"
	if r.IntN(2) == 0 {
		count = someCount(r, tight)
		in.DesiredCount = new(int32(count))
		what += fmt.Sprintf(" %d tasks", count)
	}
	switch r.IntN(3) {
	case 0:
		in.ForceNewDeployment = new(true)
		what += " a new deployment"
	case 1:
		in.TaskDefinition = new(definition(r))
		what += " of " + *in.TaskDefinition
	}
	u.change(name, func() error {
		_, err := p.ecs.UpdateService(call(ctx), in)
		return t.call(err, "%s", what)
	}, func(w *wanted) { w.count = count })
}

func (u *user) runTask(ctx context.Context, p *plane, r *rand.Rand, t *trace) {
	out, err := p.ecs.RunTask(call(ctx), &ecs.RunTaskInput{
		Cluster: new(clusterName), TaskDefinition: new(definition(r)), LaunchType: ecs.LaunchTypeFargate,
		Count: new(int32(1 + r.IntN(3))), NetworkConfiguration: u.network(),
	})
	if t.call(err, "run tasks") != nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, task := range out.Tasks {
		u.mu.tasks = append(u.mu.tasks, *task.TaskArn)
	}
}

// stopTask stops any task that runs, a service's as well.
func (u *user) stopTask(ctx context.Context, p *plane, r *rand.Rand, t *trace) {
	var all []string
	for task := range store.Tasks.All(p.db.View()) {
		if task.Desired == fargo.TaskRunning && !task.Stopped() {
			all = append(all, task.ARN())
		}
	}
	if len(all) == 0 {
		return
	}
	arn := all[r.IntN(len(all))]
	_, err := p.ecs.StopTask(call(ctx), &ecs.StopTaskInput{Cluster: new(clusterName), Task: &arn})
	_ = t.call(err, "stop %s", short(arn))
}

// call notes a call of the user's and its answer, and gives its error back.
func (t *trace) call(err error, format string, args ...any) error {
	answer := "ok"
	if err != nil {
		answer = err.Error()
	}
	t.note("user: %s → %s", fmt.Sprintf(format, args...), answer)
	return err
}

func short(arn string) string { return arn[len(arn)-min(len(arn), 32):][:8] }

// verify compares what the user was answered with what the control plane has on
// record, and finds out which of the calls that failed have had an effect. Tasks
// that are expired need not be there.
func (u *user) verify(view *store.Snapshot, expired func(arn string) bool) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	var errs []error
	known := map[string]bool{}
	for t := range store.Tasks.All(view) {
		known[t.ARN()] = true
	}
	for _, arn := range u.mu.tasks {
		if !known[arn] && !expired(arn) {
			errs = append(errs, fmt.Errorf("task %s: the user was told of it, and it is not known", short(arn)))
		}
	}
	for name, w := range u.mu.services {
		found := wanted{deleted: true}
		if s, ok := store.Services.Get(view, scope.Key(clusterName, name)); ok && s.Status() == "ACTIVE" {
			found = wanted{count: s.DesiredCount(), tight: w.tight}
		}
		switch {
		case w.same(found):
		case w.or != nil && w.or.same(found):
			w = *w.or
		default:
			errs = append(errs, fmt.Errorf("service %s: the user was answered %+v, and finds %+v", name, w, found))
		}
		w.or = nil
		u.mu.services[name] = w
	}
	return errors.Join(errs...)
}

func (w wanted) same(o wanted) bool {
	return w.deleted == o.deleted && (w.deleted || w.count == o.count)
}
