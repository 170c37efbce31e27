package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"strings"
	"time"
)

// stage is all that a task needs, made once: roles, image, log group, security
// group, cluster, task definition.
type stage struct {
	*caller
	in      *installation
	subnets []string
	group   string
}

const (
	registry   = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
	repository = "myapp/api"
	tag        = "v1.3.0"
	cluster    = "production"
	role       = "ecsTaskExecutionRole"
)

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

func openStage(ctx context.Context, in *installation, image string) (*stage, error) {
	c, err := newCaller(ctx, in)
	if err != nil {
		return nil, err
	}
	s := &stage{caller: c, in: in}
	for _, step := range []func(context.Context) error{
		s.makeRole, s.makeGroup,
		func(ctx context.Context) error { return s.push(ctx, image) },
		func(ctx context.Context) error {
			return s.json(ctx, "logs", "Logs_20140328.CreateLogGroup", map[string]any{"logGroupName": "/ecs/api"}, nil)
		},
		func(ctx context.Context) error {
			return s.ecs(ctx, "CreateCluster", map[string]any{"clusterName": cluster}, nil)
		},
		s.defineTask,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *stage) makeRole(ctx context.Context) error {
	return s.query(ctx, "iam", url.Values{
		"Action": {"CreateRole"}, "Version": {"2010-05-08"},
		"RoleName": {role}, "AssumeRolePolicyDocument": {trust},
	}, nil)
}

// makeGroup finds the subnets of the default VPC and makes a security group in
// it that lets port 8080 in.
func (s *stage) makeGroup(ctx context.Context) error {
	const version = "2016-11-15"
	var found struct {
		Subnets []struct {
			ID  string `xml:"subnetId"`
			VPC string `xml:"vpcId"`
		} `xml:"subnetSet>item"`
	}
	if err := s.query(ctx, "ec2", url.Values{"Action": {"DescribeSubnets"}, "Version": {version}}, &found); err != nil {
		return err
	}
	if len(found.Subnets) == 0 {
		return fmt.Errorf("there are no subnets")
	}
	for _, subnet := range found.Subnets {
		s.subnets = append(s.subnets, subnet.ID)
	}
	var made struct {
		ID string `xml:"groupId"`
	}
	if err := s.query(ctx, "ec2", url.Values{
		"Action": {"CreateSecurityGroup"}, "Version": {version},
		"GroupName": {"api"}, "GroupDescription": {"api"}, "VpcId": {found.Subnets[0].VPC},
	}, &made); err != nil {
		return err
	}
	s.group = made.ID
	return s.query(ctx, "ec2", url.Values{
		"Action": {"AuthorizeSecurityGroupIngress"}, "Version": {version}, "GroupId": {s.group},
		"IpPermissions.1.IpProtocol": {"tcp"}, "IpPermissions.1.FromPort": {"8080"}, "IpPermissions.1.ToPort": {"8080"},
		"IpPermissions.1.IpRanges.1.CidrIp": {"0.0.0.0/0"},
	}, nil)
}

// push pushes the example image to the registry, as a developer would.
func (s *stage) push(ctx context.Context, image string) error {
	const target = "AmazonEC2ContainerRegistry_V20150921."
	if err := s.json(ctx, "ecr", target+"CreateRepository", map[string]any{"repositoryName": repository}, nil); err != nil {
		return err
	}
	var token struct {
		AuthorizationData []struct {
			AuthorizationToken []byte
		}
	}
	if err := s.json(ctx, "ecr", target+"GetAuthorizationToken", map[string]any{}, &token); err != nil {
		return err
	}
	credentials := string(token.AuthorizationData[0].AuthorizationToken)
	to := fmt.Sprintf("docker://%s/%s:%s", strings.TrimPrefix(s.url, "http://"), repository, tag)
	out, err := exec.CommandContext(ctx, "skopeo", "copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false",
		"--dest-creds", credentials, "oci-archive:"+image, to).CombinedOutput()
	if err != nil {
		return fmt.Errorf("skopeo copy: %w: %s", err, out)
	}
	return nil
}

func (s *stage) defineTask(ctx context.Context) error {
	type object = map[string]any
	return s.ecs(ctx, "RegisterTaskDefinition", object{
		"family": "api", "networkMode": "awsvpc", "requiresCompatibilities": []string{"FARGATE"},
		"cpu": "256", "memory": "512",
		"executionRoleArn": "arn:aws:iam::123456789012:role/" + role,
		"containerDefinitions": []object{{
			"name": "api", "essential": true, "image": registry + "/" + repository + ":" + tag,
			"portMappings": []object{{"containerPort": 8080, "protocol": "tcp"}},
			"logConfiguration": object{"logDriver": "awslogs", "options": object{
				"awslogs-group": "/ecs/api", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "api",
			}},
		}},
	}, nil)
}

// ecs calls an operation of ECS.
func (s *stage) ecs(ctx context.Context, operation string, in, out any) error {
	return s.json(ctx, "ecs", ecsTarget+operation, in, out)
}

const ecsTarget = "AmazonEC2ContainerServiceV20141113."

// task is what the measurements look at of a task.
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
func (s *stage) runTasks(ctx context.Context, count int) ([]string, error) {
	type object = map[string]any
	var answer tasksAnswer
	if err := s.ecs(ctx, "RunTask", object{
		"cluster": cluster, "taskDefinition": "api", "launchType": "FARGATE", "count": count,
		"networkConfiguration": object{"awsvpcConfiguration": object{
			"subnets": s.subnets, "securityGroups": []string{s.group}, "assignPublicIp": "DISABLED",
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

func (s *stage) describe(ctx context.Context, arns []string) ([]task, error) {
	var answer tasksAnswer
	if err := s.ecs(ctx, "DescribeTasks", describeInput(arns), &answer); err != nil {
		return nil, err
	}
	return answer.Tasks, answer.check(len(arns))
}

func describeInput(arns []string) any { return map[string]any{"cluster": cluster, "tasks": arns} }

// look is the rest between two looks at tasks: short beside what is measured,
// and each look costs the machine a few percent of that.
const look = 2 * time.Millisecond

// await looks at the tasks until all have the status.
func (s *stage) await(ctx context.Context, rest time.Duration, arns []string, status string) (tasks []task, err error) {
	err = poll(ctx, rest, func() (bool, error) {
		if tasks, err = s.describe(ctx, arns); err != nil {
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

// answers waits until each task's service accepts a connection. One that is told
// to end before it listens for that would be killed half a minute later: signals
// that PID 1 does not handle yet are lost on it (pid_namespaces(7)).
func (s *stage) answers(ctx context.Context, tasks []task) error {
	for _, t := range tasks {
		address := net.JoinHostPort(t.address(), "8080")
		if err := poll(ctx, look, func() (bool, error) {
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
func (s *stage) stop(ctx context.Context, arns []string) error {
	for _, arn := range arns {
		if err := s.ecs(ctx, "StopTask", map[string]any{"cluster": cluster, "task": arn}, nil); err != nil {
			return err
		}
	}
	_, err := s.await(ctx, 5*look, arns, "STOPPED")
	return err
}
