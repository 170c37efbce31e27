package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// fixture is a Fargo with all that a task needs, made once: roles, image, log
// group, security group, cluster, task definition; and the peers beside it.
type fixture struct {
	*apiClient
	in      *installation
	subnets []string
	group   string // of security
	port    string // at which tasks listen
	peers   []peer
	counts  counts
}

const (
	registry   = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
	repository = "myapp/api"
	tag        = "v1.3.0"
	cluster    = "production"
	role       = "ecsTaskExecutionRole"
)

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// openFixture starts a Fargo of its own. With an error nothing of it is left.
func openFixture(ctx context.Context, binary, image string, r *report) (_ *fixture, err error) {
	in, err := newInstallation(binary)
	if err != nil {
		return nil, err
	}
	f := &fixture{in: in, port: "8080", counts: usual}
	defer func() {
		if err != nil {
			ctx, cancel := cleanup(ctx)
			defer cancel()
			err = errors.Join(err, f.close(ctx))
		}
	}()
	if _, err := in.up(ctx); err != nil {
		return nil, err
	}
	if f.apiClient, err = newAPIClient(ctx, in); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{
		f.makeRole, f.makeGroup,
		func(ctx context.Context) error { return f.push(ctx, image) },
		func(ctx context.Context) error {
			return f.json(ctx, "logs", "Logs_20140328.CreateLogGroup", map[string]any{"logGroupName": "/ecs/api"}, nil)
		},
		func(ctx context.Context) error {
			return f.ecs(ctx, "CreateCluster", map[string]any{"clusterName": cluster}, nil)
		},
		f.defineTask,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	f.peers, err = openPeers(ctx, in, image, r)
	return f, err
}

// close removes the peers and all of Fargo.
func (f *fixture) close(ctx context.Context) error {
	var errs []error
	for _, p := range f.peers {
		errs = append(errs, p.close(ctx))
	}
	return errors.Join(append(errs, f.in.remove(ctx))...)
}

func (f *fixture) makeRole(ctx context.Context) error {
	if err := f.query(ctx, "iam", url.Values{
		"Action": {"CreateRole"}, "Version": {"2010-05-08"},
		"RoleName": {role}, "AssumeRolePolicyDocument": {trust},
	}, nil); err != nil {
		return err
	}
	return f.query(ctx, "iam", url.Values{
		"Action": {"AttachRolePolicy"}, "Version": {"2010-05-08"},
		"RoleName": {role}, "PolicyArn": {"arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"},
	}, nil)
}

// makeGroup finds the subnets of the default VPC and makes a security group in
// it that lets port 8080 in.
func (f *fixture) makeGroup(ctx context.Context) error {
	const version = "2016-11-15"
	var found struct {
		Subnets []struct {
			ID  string `xml:"subnetId"`
			VPC string `xml:"vpcId"`
		} `xml:"subnetSet>item"`
	}
	if err := f.query(ctx, "ec2", url.Values{"Action": {"DescribeSubnets"}, "Version": {version}}, &found); err != nil {
		return err
	}
	if len(found.Subnets) == 0 {
		return fmt.Errorf("there are no subnets")
	}
	for _, subnet := range found.Subnets {
		f.subnets = append(f.subnets, subnet.ID)
	}
	var made struct {
		ID string `xml:"groupId"`
	}
	if err := f.query(ctx, "ec2", url.Values{
		"Action": {"CreateSecurityGroup"}, "Version": {version},
		"GroupName": {"api"}, "GroupDescription": {"api"}, "VpcId": {found.Subnets[0].VPC},
	}, &made); err != nil {
		return err
	}
	f.group = made.ID
	return f.query(ctx, "ec2", url.Values{
		"Action": {"AuthorizeSecurityGroupIngress"}, "Version": {version}, "GroupId": {f.group},
		"IpPermissions.1.IpProtocol": {"tcp"}, "IpPermissions.1.FromPort": {"8080"}, "IpPermissions.1.ToPort": {"8080"},
		"IpPermissions.1.IpRanges.1.CidrIp": {"0.0.0.0/0"},
	}, nil)
}

// push pushes the example image to the registry, as a developer would.
func (f *fixture) push(ctx context.Context, image string) error {
	const target = "AmazonEC2ContainerRegistry_V20150921."
	if err := f.json(ctx, "ecr", target+"CreateRepository", map[string]any{"repositoryName": repository}, nil); err != nil {
		return err
	}
	var token struct {
		AuthorizationData []struct {
			AuthorizationToken []byte
		}
	}
	if err := f.json(ctx, "ecr", target+"GetAuthorizationToken", map[string]any{}, &token); err != nil {
		return err
	}
	credentials := string(token.AuthorizationData[0].AuthorizationToken)
	to := fmt.Sprintf("docker://%s/%s:%s", strings.TrimPrefix(f.url, "http://"), repository, tag)
	_, err := command(ctx, "skopeo", "copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false",
		"--dest-creds", credentials, "oci-archive:"+image, to)
	return err
}

// plainTask is the task definition that most measurements have.
const plainTask = "api"

func (f *fixture) defineTask(ctx context.Context) error { return f.define(ctx, plainTask, nil) }

// define registers a task definition whose container is given secrets.
func (f *fixture) define(ctx context.Context, family string, secrets []map[string]any) error {
	type object = map[string]any
	return f.ecs(ctx, "RegisterTaskDefinition", object{
		"family": family, "networkMode": "awsvpc", "requiresCompatibilities": []string{"FARGATE"},
		"cpu": "256", "memory": "512",
		"executionRoleArn": "arn:aws:iam::123456789012:role/" + role,
		"containerDefinitions": []object{{
			"name": "api", "essential": true, "image": registry + "/" + repository + ":" + tag,
			"portMappings": []object{{"containerPort": 8080, "protocol": "tcp"}}, "secrets": secrets,
			"logConfiguration": object{"logDriver": "awslogs", "options": object{
				"awslogs-group": "/ecs/api", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "api",
			}},
		}},
	}, nil)
}

// ecs calls an operation of ECS.
func (f *fixture) ecs(ctx context.Context, operation string, in, out any) error {
	return f.json(ctx, "ecs", ecsTarget+operation, in, out)
}

const ecsTarget = "AmazonEC2ContainerServiceV20141113."

// task is what the measurements need of DescribeTasks.
type task struct {
	ARN           string  `json:"taskArn"`
	LastStatus    string  `json:"lastStatus"`
	StoppedReason string  `json:"stoppedReason"`
	CreatedAt     float64 `json:"createdAt"` // seconds
	StartedAt     float64 `json:"startedAt"`
	Attachments   []struct {
		Details []struct{ Name, Value string }
	} `json:"attachments"`
}

// startTime is from createdAt to startedAt.
func (t *task) startTime() time.Duration {
	return time.Duration((t.StartedAt - t.CreatedAt) * float64(time.Second))
}

// address is that of the task's interface.
func (t *task) address() string {
	for _, a := range t.Attachments {
		for _, d := range a.Details {
			if d.Name == "privateIPv4Address" {
				return d.Value
			}
		}
	}
	return ""
}

type tasksAnswer struct {
	Tasks    []task
	Failures []struct{ ARN, Reason, Detail string }
}

func (a *tasksAnswer) check(count int) error {
	if len(a.Failures) > 0 || len(a.Tasks) != count {
		return fmt.Errorf("%d tasks instead of %d: %+v", len(a.Tasks), count, a.Failures)
	}
	return nil
}

// runTasks calls RunTask and returns the tasks' ARNs.
func (f *fixture) runTasks(ctx context.Context, definition string, count int) ([]string, error) {
	type object = map[string]any
	var answer tasksAnswer
	if err := f.ecs(ctx, "RunTask", object{
		"cluster": cluster, "taskDefinition": definition, "launchType": "FARGATE", "count": count,
		"networkConfiguration": object{"awsvpcConfiguration": object{
			"subnets": f.subnets, "securityGroups": []string{f.group}, "assignPublicIp": "DISABLED",
		}},
	}, &answer); err != nil {
		return nil, err
	}
	var arns []string
	for _, t := range answer.Tasks {
		arns = append(arns, t.ARN)
	}
	return arns, answer.check(count)
}

func (f *fixture) describe(ctx context.Context, arns []string) ([]task, error) {
	var answer tasksAnswer
	if err := f.ecs(ctx, "DescribeTasks", describeInput(arns), &answer); err != nil {
		return nil, err
	}
	return answer.Tasks, answer.check(len(arns))
}

func describeInput(arns []string) any { return map[string]any{"cluster": cluster, "tasks": arns} }

// pollInterval is that of calls of DescribeTasks: short beside what is measured,
// and each call costs the machine a few percent of that.
const pollInterval = 2 * time.Millisecond

// await polls the tasks until all have the status.
func (f *fixture) await(ctx context.Context, interval time.Duration, arns []string, status string) (tasks []task, err error) {
	err = poll(ctx, interval, func() (bool, error) {
		if tasks, err = f.describe(ctx, arns); err != nil {
			return false, err
		}
		for _, t := range tasks {
			if t.LastStatus == "STOPPED" && status != "STOPPED" {
				return false, fmt.Errorf("a task stopped: %s", t.StoppedReason)
			}
			if t.LastStatus != status {
				return false, nil
			}
		}
		return true, nil
	})
	return tasks, err
}

// awaitListening waits until each task's service accepts a connection. A task that
// is stopped before it handles SIGTERM would only end half a minute later, killed:
// PID 1 ignores signals that it does not handle (pid_namespaces(7)).
func (f *fixture) awaitListening(ctx context.Context, tasks []task) error {
	for _, t := range tasks {
		address := net.JoinHostPort(t.address(), f.port)
		if err := poll(ctx, pollInterval, func() (bool, error) {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
			if err != nil {
				return false, nil
			}
			return true, conn.Close()
		}); err != nil {
			return fmt.Errorf("task at %s: %w", address, err)
		}
	}
	return nil
}

// stop stops the tasks and waits until they are.
func (f *fixture) stop(ctx context.Context, arns []string) error {
	for _, arn := range arns {
		if err := f.ecs(ctx, "StopTask", map[string]any{"cluster": cluster, "task": arn}, nil); err != nil {
			return err
		}
	}
	_, err := f.await(ctx, 5*pollInterval, arns, "STOPPED")
	return err
}
