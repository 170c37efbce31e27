package control

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/containerd/errdefs"

	"fargo"
	"fargo/aws/ec2"
	"fargo/aws/ecs"
	"fargo/aws/logs"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// aLog is CloudWatch Logs with one group, or none.
type aLog struct {
	group   string
	made    []string
	written []desired.LogEvent
}

func (l *aLog) OpenLog(_ context.Context, t desired.LogTarget) error {
	if t.Group != l.group && !t.Create {
		return errdefs.ErrNotFound
	}
	l.made = append(l.made, t.Group+" "+t.Stream)
	return nil
}

func (l *aLog) Append(_ context.Context, b desired.LogBatch) (int64, error) {
	l.written = append(l.written, b.Events...)
	return b.To, nil
}

// What a task's output needs is asked of its execution role: a stream and a group that
// may not be made stop the task, and what may not be written is dropped.
func TestLogsNeedTheExecutionRole(t *testing.T) {
	const noStream = "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: operation error CloudWatch Logs: CreateLogStream, "
	for _, test := range []struct {
		name, group string
		create      bool
		refused     string // operation
		want        string // the beginning of the error
		written     int
	}{
		{name: "allowed", group: "g", written: 1},
		{name: "made", create: true, written: 1},
		{name: "missing", want: noStream + "https response error StatusCode: 400, RequestID: "},
		{name: "no stream", group: "g", refused: "CreateLogStream", want: noStream, written: 1},
		{name: "no group", create: true, refused: "CreateLogGroup", want: "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log group: operation error CloudWatch Logs: CreateLogGroup, ", written: 1},
		{name: "not needed", group: "g", create: true, refused: "CreateLogGroup", written: 1},
		{name: "not written", group: "g", refused: "PutLogEvents"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, task := withSecrets(t, &someValues{}, "")
			kept := &aLog{group: test.group}
			w.plane.Logs, w.plane.Logger = kept, slog.New(slog.NewTextHandler(t.Output(), nil))
			w.plane.Authorize = func(c Caller, service, operation string, in any) error {
				if c.Session.PrincipalARN != "arn:aws:sts::123456789012:assumed-role/exec/"+task.ID || service != "logs" {
					t.Errorf("%s asks for %s:%s", c.Session.PrincipalARN, service, operation)
				}
				if operation == test.refused {
					return logs.InvalidParameterException("refused %T", in)
				}
				return nil
			}
			target := desired.LogTarget{Account: home.Account, Region: home.Region, Group: "g", Stream: "s", Create: test.create, Task: task.ARN()}
			got := ""
			if err := w.plane.OpenLog(t.Context(), target); err != nil {
				got = err.Error()
			}
			if !strings.HasPrefix(got, test.want) || (got == "") != (test.want == "") {
				t.Errorf("got %q", got)
			}
			if (len(kept.made) > 0) != (test.want == "") {
				t.Errorf("made %q", kept.made)
			}
			batch := desired.LogBatch{Target: target, To: 7, Events: []desired.LogEvent{{Message: "m"}}}
			if to, err := w.plane.AppendLogs(t.Context(), batch); to != 7 || err != nil {
				t.Errorf("%d, %v", to, err)
			}
			if test.name != "missing" && len(kept.written) != test.written {
				t.Errorf("%d events were written", len(kept.written))
			}
		})
	}
}

// A task that may not pull its images is stopped before it is placed.
func TestPullsNeedTheExecutionRole(t *testing.T) {
	w, task := withSecrets(t, &someValues{}, "")
	const image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/myapp/api:v1"
	ours := *task
	ours.Intent.Containers = append(ours.Intent.Containers[:0:0], ours.Intent.Containers...)
	ours.Intent.Containers[0].Image = new(image)
	var asked []string
	refuse := ""
	authorize := func(c Caller, service, operation string, _ any) error {
		as := ""
		if c.Service != "" {
			as = " by " + c.Service
		}
		asked = append(asked, c.Region+" "+service+":"+operation+as)
		if operation == refuse {
			return logs.InvalidParameterException("no %s", operation)
		}
		return nil
	}
	for _, test := range []struct{ refuse, want string }{
		{"", ""},
		{"GetAuthorizationToken", "InvalidParameterException: no GetAuthorizationToken"},
		{"BatchGetImage", "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref " + image + ": pulling from host 123456789012.dkr.ecr.eu-west-1.amazonaws.com failed with status code [manifests v1]: 403 Forbidden: denied: no BatchGetImage"},
		{"GetDownloadUrlForLayer", "403 Forbidden: denied: no GetDownloadUrlForLayer"},
		{"GetObject", "CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: httpReadSeeker: failed open: unexpected status code https://123456789012.dkr.ecr.eu-west-1.amazonaws.com/v2/myapp/api/blobs/: 403 Forbidden"},
	} {
		refuse = test.refuse
		w.update(func(tx *store.Tx) {
			if got := pullRefused(tx, authorize, &ours); !strings.HasSuffix(got, test.want) || (got == "") != (test.want == "") {
				t.Errorf("without %s: %q", test.refuse, got)
			}
		})
	}
	if got := strings.Join(asked[:4], ", "); got != "us-east-1 ecr:GetAuthorizationToken, eu-west-1 ecr:BatchGetImage, eu-west-1 ecr:GetDownloadUrlForLayer, eu-west-1 s3:GetObject by ecr.amazonaws.com" {
		t.Errorf("asked for %s", got)
	}
	near := ours
	near.Interface = &desired.Interface{VPC: "vpc-1"}
	near.Intent.Containers = []ecs.Container{{Image: new(strings.Replace(image, "eu-west-1", "us-east-1", 1))}}
	var at []string
	w.update(func(tx *store.Tx) {
		store.EC2VPCEndpoints.Put(tx, &record.EC2VPCEndpoint{Scope: home, Endpoint: ec2.VpcEndpoint{
			VpcEndpointId: new("vpce-dkr"), VpcId: new("vpc-1"), ServiceName: new("com.amazonaws.us-east-1.ecr.dkr"), State: plan.EndpointAvailable,
			VpcEndpointType: ec2.VpcEndpointTypeInterface, PrivateDnsEnabled: new(true),
		}})
		pullRefused(tx, func(c Caller, _, _ string, _ any) error { at = append(at, c.Origin.At); return nil }, &near)
	})
	if got := strings.Join(at, ", "); got != "vpc-1, vpce-dkr, vpce-dkr, vpc-1" {
		t.Errorf("the requests come from %s", got)
	}
	asked = nil
	w.update(func(tx *store.Tx) {
		role, _ := store.Roles.Get(tx, fargo.Scope{Account: home.Account}.Key("exec"))
		untrusting := *role
		untrusting.Role.AssumeRolePolicyDocument = new(strings.ReplaceAll(trustsTasks, "ecs-tasks", "ecs"))
		store.Roles.Put(tx, &untrusting)
		if got := pullRefused(tx, authorize, &ours); got != errUnassumable(executionRole).Error() || asked != nil {
			t.Errorf("of a role that trusts others: %q, %q", got, asked)
		}
		store.Roles.Put(tx, role)
		if got := pullRefused(tx, authorize, task); got != "" || asked != nil {
			t.Errorf("of an image from elsewhere: %q, %q", got, asked)
		}
	})
}
