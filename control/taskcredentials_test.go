package control

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/errdefs"

	"fargo"
	"fargo/aws/ecs"
	"fargo/aws/iam"
	"fargo/desired"
	"fargo/record"
	"fargo/store"
)

const taskRole = "arn:aws:iam::123456789012:role/apps/web"

// withRole is a world with a task of a role, on node a.
func withRole(t *testing.T) (*world, *record.Task) {
	w := newWorld(t)
	task := *w.run()
	task.Node = "a"
	task.Intent.Overrides = &ecs.TaskOverride{TaskRoleArn: new(taskRole)}
	w.update(func(tx *store.Tx) {
		store.Tasks.Put(tx, &task)
		store.Roles.Put(tx, roleTrusting(home.Region))
	})
	return w, &task
}

// roleTrusting is the task's role, which trusts ECS for what it does in a region.
func roleTrusting(region string) *record.Role {
	return &record.Role{Account: home.Account, Role: iam.Role{
		RoleName: new("web"), RoleId: new("AROAWEB"), Arn: new(taskRole),
		AssumeRolePolicyDocument: new(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},
			"Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:ecs:` + region + `:123456789012:*"},"StringEquals":{"aws:SourceAccount":"123456789012"}}}}`),
	}}
}

func (w *world) credentials(t *testing.T, id desired.SecretID) (c desired.RoleCredentials) {
	t.Helper()
	value, err := w.plane.Secret(t.Context(), "a", id)
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	if err := json.Unmarshal([]byte(value.Reveal()), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// A task is given a session of its role, the same for as long as it is asked for the same
// period, which its caller is known by.
func TestTaskCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, task := withRole(t)
		defer w.stop()
		id := desired.TaskCredentialsOf(task.ARN(), 7)
		first := w.credentials(t, id)
		time.Sleep(desired.CredentialsPeriod)
		if again := w.credentials(t, id); !first.Expiration.Equal(again.Expiration) || first.AccessKeyID != again.AccessKeyID ||
			!first.Token.Equal(again.Token.Text) || first.SecretAccessKey.IsZero() {
			t.Errorf("asked again %+v, before %+v", again, first)
		}
		next := w.credentials(t, desired.TaskCredentialsOf(task.ARN(), 8))
		if next.AccessKeyID == first.AccessKeyID || next.Expiration.Sub(first.Expiration) != desired.CredentialsPeriod {
			t.Errorf("of the next period %+v, before %+v", next, first)
		}
		if left := time.Until(first.Expiration); left != desired.CredentialsLife/3 || first.RoleARN != taskRole {
			t.Errorf("%s left of %+v", left, first)
		}
		s, ok := store.Sessions.Get(w.db.View(), first.AccessKeyID)
		if !ok || s.Task != task.ARN() || s.PrincipalARN != "arn:aws:sts::123456789012:assumed-role/web/"+task.ID || s.PrincipalID != "AROAWEB:"+task.ID {
			t.Errorf("the session is %+v", s)
		}
		time.Sleep(desired.CredentialsLife) // no other session was made meanwhile that would take it away
		if late := w.credentials(t, id); late.AccessKeyID == first.AccessKeyID {
			t.Error("credentials are given that have expired")
		}
	})
}

// A node learns the tags of its own tasks.
func TestTaskTags(t *testing.T) {
	w, task := withRole(t)
	defer w.stop()
	tagged := *task
	tagged.Intent.Tags = []ecs.Tag{{Key: new("team"), Value: new("a")}}
	w.update(func(tx *store.Tx) { store.Tasks.Put(tx, &tagged) })
	if tags, err := w.plane.TaskTags(t.Context(), "a", task.ARN()); err != nil || len(tags) != 1 || tags["team"] != "a" {
		t.Errorf("%v, %v", tags, err)
	}
	for node, arn := range map[string]string{"b": task.ARN(), "a": "arn:none"} {
		if tags, err := w.plane.TaskTags(t.Context(), node, arn); !errdefs.IsNotFound(err) {
			t.Errorf("node %s is told of %s: %v, %v", node, arn, tags, err)
		}
	}
}

// Nobody else is given them: another node, another task, a task without a role, one whose
// role does not trust ECS, one that has stopped.
func TestTaskCredentialsAreRefused(t *testing.T) {
	w, task := withRole(t)
	defer w.stop()
	refused := func(node string, id desired.SecretID) {
		t.Helper()
		if value, err := w.plane.Secret(t.Context(), node, id); !errdefs.IsNotFound(err) {
			t.Errorf("node %s is given %s: %d bytes, %v", node, id, len(value.Reveal()), err)
		}
	}
	id := desired.TaskCredentialsOf(task.ARN(), 0)
	refused("b", id)
	refused("a", desired.TaskCredentialsOf(task.ARN()+"0", 0))
	refused("a", desired.TaskCredentialsOf(task.ARN(), -1))
	refused("a", desired.SecretID(desired.TaskCredentials+"/"+task.ARN()))
	with := func(change func(*record.Task)) {
		changed := *task
		change(&changed)
		w.update(func(tx *store.Tx) { store.Tasks.Put(tx, &changed) })
	}
	w.update(func(tx *store.Tx) { store.Roles.Put(tx, roleTrusting("eu-west-1")) })
	if _, err := w.plane.Secret(t.Context(), "a", id); err == nil || errdefs.IsNotFound(err) {
		t.Errorf("a role that trusts ECS in another region: %v", err)
	}
	with(func(changed *record.Task) { changed.Intent.Overrides = nil })
	refused("a", id)
	with(func(changed *record.Task) {
		changed.Intent.Overrides = &ecs.TaskOverride{TaskRoleArn: new("arn:aws:iam::123456789012:role/other")}
	})
	if _, err := w.plane.Secret(t.Context(), "a", id); err == nil || errdefs.IsNotFound(err) {
		t.Errorf("a role that does not trust ECS: %v", err)
	}
	with(func(changed *record.Task) {
		changed.Desired, changed.Report = fargo.TaskStopped, &desired.TaskReport{TaskARN: task.ARN(), Status: fargo.TaskStopped}
	})
	refused("a", id)
	for s := range store.Sessions.All(w.db.View()) {
		t.Errorf("a session was made: %s", s.PrincipalARN)
	}
}
