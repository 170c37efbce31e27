package node_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/errdefs"

	"fargo"
	"fargo/desired"
	"fargo/host"
	"fargo/node/nodetest"
	"fargo/secret"
)

// withRole is a task with a role, and a control plane that gives it credentials while it
// is there.
func withRole(h *fixture) desired.Assignment {
	a := one("0123456789abcdef", "image")
	a.TaskRole = "arn:aws:iam::123456789012:role/web"
	given := map[desired.SecretID]secret.Text{}
	h.secret = func(_ context.Context, id desired.SecretID) (secret.Text, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if kind, of := id.Cut(); kind != desired.TaskCredentials || !strings.HasSuffix(of, a.TaskARN) {
			return secret.Text{}, errdefs.ErrNotFound
		}
		if _, known := given[id]; !known {
			data, err := json.Marshal(desired.RoleCredentials{
				RoleARN: a.TaskRole, AccessKeyID: string(id), SecretAccessKey: secret.Exposed{Text: secret.New(value)},
				Expiration: time.Now().Add(desired.CredentialsLife),
			})
			if err != nil {
				h.t.Error(err)
			}
			given[id] = secret.New(string(data))
		}
		return given[id], nil
	}
	return a
}

// asked is what a task is told of itself and its credentials; err is of these.
func (h *fixture) asked(a desired.Assignment) (t *host.Task, c desired.RoleCredentials, err error) {
	h.t.Helper()
	t, ok := h.node.TaskAt(a.Interface.VPC, a.Interface.Address)
	if !ok {
		h.t.Fatal("the task is not known by its address")
	}
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Second)
	defer cancel()
	c, err = h.node.Credentials(ctx, t)
	return t, c, err
}

// The credentials of a task's role are renewed when a third of their life is left, or
// before, and good for as long as they say while the control plane is away, also for the
// next node. They are in no file on a disk, and nowhere when the task has gone.
func TestTaskCredentials(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{"image": {}})
		a := withRole(h)
		stop := h.start()
		h.assign(a)
		h.reach(0, fargo.TaskRunning)
		keys := map[string]bool{}
		for range 48 {
			_, c, err := h.asked(a)
			if left := time.Until(c.Expiration); err != nil || left < desired.CredentialsLife/3 || c.SecretAccessKey.Reveal() != value {
				t.Fatalf("%s left of %s: %v", left, c.AccessKeyID, err)
			}
			keys[c.AccessKeyID] = true
			time.Sleep(15 * time.Minute)
		}
		if len(keys) != 4 { // in twelve hours, which begin in the middle of a period
			t.Errorf("there were the keys %v", keys)
		}
		if found := filesWith(t, h.dir, value); len(found) > 0 {
			t.Errorf("they are in %q", found)
		}

		before, kept, _ := h.asked(a)
		stop()
		h.disconnected = true
		stop = h.start()
		synctest.Wait()
		after, c, err := h.asked(a)
		if err != nil || c.AccessKeyID != kept.AccessKeyID || after.CredentialsID != before.CredentialsID || after.CredentialsID == "" {
			t.Errorf("the next node has %s at %q, %v", c.AccessKeyID, after.CredentialsID, err)
		}
		time.Sleep(time.Until(kept.Expiration) - time.Minute)
		if _, c, err := h.asked(a); err != nil || c.AccessKeyID != kept.AccessKeyID {
			t.Errorf("before they end there are %s, %v", c.AccessKeyID, err)
		}
		time.Sleep(time.Minute)
		if _, c, err := h.asked(a); err == nil {
			t.Errorf("expired ones are given: %s", c.AccessKeyID)
		}
		stop()

		h.disconnected = false
		stop = h.start()
		synctest.Wait()
		if _, _, err := h.asked(a); err != nil {
			t.Errorf("when the control plane is back: %v", err)
		}
		h.stopTask(0, fargo.StopUserInitiated, "enough")
		h.reach(0, fargo.TaskStopped)
		h.assign()
		synctest.Wait()
		if _, ok := h.node.TaskAt(a.Interface.VPC, a.Interface.Address); ok {
			t.Error("a task is known that has gone")
		}
		if found := filesWith(t, h.memory, value); len(found) > 0 {
			t.Errorf("they are left in %q", found)
		}
		stop()
	})
}

// Containers are told where to ask about themselves, whatever the user has set, and of the
// APIs, unless the user has set that.
func TestEnvironmentOfTheEndpoints(t *testing.T) {
	for name, test := range map[string]struct {
		told        bool
		platformFor desired.PlatformUsers
		want        string
	}{
		"told":     {true, desired.PlatformForAll, "http://10.0.0.3"},
		"not told": {false, desired.PlatformForAll, ""},
		"isolated": {true, desired.PlatformForNone, ""},
		"private":  {true, desired.PlatformForPublic, ""},
	} {
		t.Run(name, func(t *testing.T) {
			simulated(t, func(t *testing.T) {
				h := newFixture(t, map[string]nodetest.Script{"image": {}})
				a := withRole(h)
				a.Containers[0].Environment = []string{"ECS_AGENT_URI=mine"}
				a.Interface.Subnet = "subnet-1"
				stop := h.start()
				h.assign(a)
				d, err := h.plane.Desired(t.Context(), machine)
				if err != nil {
					t.Fatal(err)
				}
				d.Platform = desired.Platform{Upstream: "http://127.0.0.1:4566", InEnvironment: test.told}
				d.VPCs[0].Subnets = []desired.Subnet{{ID: "subnet-1", PlatformFor: test.platformFor}}
				h.plane.Set(machine, d)
				h.reach(0, fargo.TaskRunning)
				view, _, _ := h.asked(a)
				spec, _ := h.runtime.Spec(a.Containers[0].RuntimeID)
				id := a.Containers[0].RuntimeID
				for _, want := range []string{
					"ECS_AGENT_URI=http://169.254.170.2/api/" + id,
					"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/credentials/" + view.CredentialsID,
				} {
					if !slices.Contains(spec.Environment, want) {
						t.Errorf("%q is not in %q", want, spec.Environment)
					}
				}
				if last := spec.Environment[len(spec.Environment)-2]; strings.HasSuffix(last, "=mine") {
					t.Errorf("the user's own is over ours: %q", spec.Environment)
				}
				got := ""
				for _, v := range spec.DefaultEnvironment {
					if url, ok := strings.CutPrefix(v, "AWS_ENDPOINT_URL="); ok {
						got = url
					}
				}
				if got != test.want {
					t.Errorf("the APIs are said to be at %q, want %q", got, test.want)
				}
				stop()
			})
		})
	}
}
