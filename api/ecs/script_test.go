package ecs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/apitest"
	"fargo/api/ec2"
	"fargo/api/ecs"
	apiiam "fargo/api/iam"
	"fargo/api/ssm"
	wireec2 "fargo/aws/ec2"
	wire "fargo/aws/ecs"
	wireiam "fargo/aws/iam"
	wiressm "fargo/aws/ssm"
	"fargo/control"
	"fargo/desired"
	"fargo/policy"
	"fargo/record"
	"fargo/store"
)

// noImages is a registry without images.
type noImages struct{}

func (noImages) Resolve(store.Reader, fargo.Scope, string) string { return "" }

// trySysctl is a kernel that has all settings but one.
func trySysctl(name, _ string) error {
	if name == "net.core.rmem_max" {
		return fs.ErrNotExist
	}
	return nil
}

// tryUlimit is a machine that gives no more than 20000 open files.
func tryUlimit(name string, hard int64) error {
	if name == "nofile" && hard > 20000 {
		return errors.New("this machine gives at most 20000")
	}
	return nil
}

// TestScripts runs the scripts against the API with a node that does what the
// script says: "settle" lets the controllers work, "report" is the node's word
// on one task, "all" its word on every task that is not as far yet.
func TestScripts(t *testing.T) {
	apitest.Run(t, func(t *testing.T) apitest.Setup {
		db, err := store.Open(t.Context(), store.NewMemory())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		plane := &control.Plane{DB: db, Sessions: control.NewSessions(), Logger: slog.New(slog.DiscardHandler)}
		return apitest.Setup{
			Services: []api.Mounted{
				{Service: &wireec2.API, Server: ec2.New(ec2.Config{DB: db})},
				{Service: &wire.API, Server: ecs.New(ecs.Config{DB: db, Assumable: assumable, TrySysctl: trySysctl, TryUlimit: tryUlimit, ExecAgent: execAgent{}})},
				{Service: &wireiam.API, Server: apiiam.New(apiiam.Config{DB: db})},
				{Service: &wiressm.API, Server: ssm.New(ssm.Config{DB: db, ExecAgent: execAgent{}})},
			},
			Commands: map[string]func(context.Context, string) (string, error){
				"node": func(ctx context.Context, name string) (string, error) {
					return "", errors.Join(plane.Hello(ctx, desired.Hello{ID: name, DataChannels: "127.0.0.1:4567"}), plane.ReportEmpty(ctx, name))
				},
				"ended": func(ctx context.Context, id string) (string, error) {
					at := time.Now()
					return "", plane.ReportExecSession(ctx, "a", desired.ExecSessionReport{ID: id, StartedAt: at, EndedAt: at, ExitCode: new(3)})
				},
				"sessions": func(context.Context, string) (string, error) { return sessions(db), nil },
				"settle":   func(ctx context.Context, _ string) (string, error) { return "", settle(ctx, db) },
				"all": func(ctx context.Context, status string) (string, error) {
					return "", reportAll(ctx, db, plane, fargo.TaskStatus(status))
				},
				"report": func(ctx context.Context, args string) (string, error) {
					node, body, _ := strings.Cut(args, " ")
					var r desired.TaskReport
					if err := json.Unmarshal([]byte(body), &r); err != nil {
						return "", err
					}
					return "", plane.Report(ctx, node, []desired.TaskReport{r})
				},
			},
		}
	})
}

// execAgent connects for all roles but one, and refuses to write to log groups that should
// be encrypted.
type execAgent struct{}

func (execAgent) Connects(_ store.Reader, t *record.Task) bool {
	return t.Intent.Overrides.TaskRoleArn == nil
}

func (execAgent) Refuses(_ context.Context, _ *record.Task, l record.ExecLogging) (string, error) {
	if l.LogGroupEncrypted {
		return "It is not encrypted.", nil
	}
	return "", nil
}

// sessions shows what is kept of the sessions of ECS Exec, in the order of their making.
func sessions(db *store.DB) string {
	all := slices.SortedFunc(store.ExecSessions.All(db.View()), func(a, b *record.ExecSession) int { return a.CreatedAt.Compare(b.CreatedAt) })
	var lines []string
	for _, s := range all {
		lines = append(lines, fmt.Sprintf("%s %q key=%q refusal=%q logging=%+v owner=%s ended=%q", s.Container, s.Arguments, s.KMSKeyID, s.Refusal, s.Logging, s.Owner, s.EndReason))
	}
	return strings.Join(lines, "\n")
}

// issuePlatform is a certificate that nobody looks at.
func issuePlatform(_ *store.Tx, region string, names []string, now time.Time) (*record.PlatformCertificate, error) {
	return &record.PlatformCertificate{Region: region, Names: names, NotAfter: now.AddDate(1, 0, 0)}, nil
}

// assumable asks the roles that a script has made. Others trust everybody, but for those
// that are said to be missing.
func assumable(r store.Reader, arn, service, resource string) bool {
	a, _ := fargo.ParseARN(arn)
	if _, ok := store.Roles.Get(r, a.Scope().Key(a.Name())); ok {
		return apiiam.Assumable(r, arn, service, resource)
	}
	return !strings.HasSuffix(arn, "/missing")
}

// everything is what every role may do.
func everything(s *record.Session) *policy.Caller {
	document, err := policy.Parse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	if err != nil {
		panic(err)
	}
	return &policy.Caller{Principal: policy.Principal{Account: s.Account}, Identity: policy.NewSet(policy.Policy{Document: document})}
}

// settle lets the controllers look at everything until nothing changes.
func settle(ctx context.Context, db *store.DB) error {
	w := db.Watch()
	defer w.Close()
	controllers := control.Controllers(control.Config{Images: noImages{}, Assumable: assumable, Sessions: control.NewSessions(), Pace: 1e6, IssuePlatform: issuePlatform, Policies: everything, Public: netip.MustParsePrefix("240.0.0.0/24")})
	for range 20 {
		before := fmt.Sprintf("%p", db.View())
		err := db.Update(ctx, func(tx *store.Tx) error {
			for _, c := range controllers {
				for key := range c.All(tx) {
					if _, err := c.Reconcile(tx, key, time.Now()); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil || before == fmt.Sprintf("%p", db.View()) {
			return err
		}
	}
	return fmt.Errorf("the controllers do not come to rest")
}

// reportAll moves every task to status: the wanted ones on, or the unwanted to
// their end.
func reportAll(ctx context.Context, db *store.DB, plane *control.Plane, status fargo.TaskStatus) error {
	now := time.Now()
	for t := range store.Tasks.All(db.View()) {
		ending := t.Desired == fargo.TaskStopped
		if t.Stopped() || ending != status.Ending() {
			continue
		}
		r := desired.TaskReport{TaskARN: t.ARN(), Status: status, StartedAt: now.Add(-time.Minute)}
		if ending {
			r.StoppedAt = now
		}
		if err := plane.Report(ctx, t.Node, []desired.TaskReport{r}); err != nil {
			return err
		}
	}
	return nil
}
