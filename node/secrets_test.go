package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fargo"
	"fargo/desired"
	"fargo/node/nodetest"
	"fargo/secret"
)

// value is a secret that must be nowhere but in the node's directory for secrets.
const value = "correct-horse-battery-staple"

// withPassword is a task whose image needs a password, and the password.
func withPassword(id string) (desired.Assignment, desired.Secret) {
	a := one(id, "image")
	s := desired.Secret{ID: desired.RegistryPasswordOf(a.TaskARN), Value: secret.New(value)}
	a.Containers[0].Pull = desired.PullSource{Endpoint: "http://127.0.0.1:4566", Username: "AWS", PasswordID: s.ID}
	return a, s
}

// withCertificate is a load balancer that listens for TLS, and the key of its
// certificate.
func withCertificate(chain, key string) (desired.State, desired.Secret) {
	d := withBalancers("a")
	s := desired.Secret{ID: desired.CertificateKeyOf(chain), Value: secret.New(key)}
	d.Balancers[0].Listeners = []desired.BalancerListener{{
		ARN: "listener/a", Protocol: "HTTPS", Port: 443,
		Certificates: []desired.Certificate{{ARN: "certificate/1", Chain: chain, KeyID: s.ID}},
	}}
	return d, s
}

// files are the files below a directory that contain text.
func filesWith(t *testing.T, dir, text string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(text)) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestSecretsAreKeptApart runs a task with a registry's password and a load balancer
// with a certificate's key, and looks for both in all that a node writes.
func TestSecretsAreKeptApart(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{"image": {}})
		var logged bytes.Buffer
		h.logger = slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
		b := &balancers{network: h.network}
		h.followers = append(h.followers, b)
		stop := h.start()
		a, password := withPassword("a")
		state, key := withCertificate("chain", "key-"+value)
		h.plane.SetSecret(password)
		h.plane.SetSecret(key)
		h.runtime.Hold("image") // so that the task needs its password yet
		h.tasks = []desired.Assignment{a}
		state.Tasks = h.tasks
		h.plane.Set(machine, state)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := b.given(); !got[key.ID].Equal(key.Value) {
			t.Error("the follower has not got the key")
		}
		if got := h.runtime.Passwords(); len(got) != 1 || !got[0].Equal(password.Value) {
			t.Error("the pull has not got the password")
		}
		secrets := filepath.Join(h.memory, "secrets")
		for _, dir := range []string{h.dir, h.memory} {
			for _, path := range filesWith(t, dir, value) {
				if filepath.Dir(path) != secrets {
					t.Errorf("%s has a secret in it", path)
				}
			}
		}
		if got := filesWith(t, secrets, value); len(got) != 2 {
			t.Errorf("secrets are in %q", got)
		}
		for _, path := range filesWith(t, secrets, "") {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s is %v, %v", path, info.Mode(), err)
			}
		}
		dump, err := json.Marshal(state)
		if err != nil || bytes.Contains(dump, []byte(value)) {
			t.Errorf("the desired state shows a secret: %s, %v", dump, err)
		}
		h.runtime.Let("image")
		h.reach(0, fargo.TaskRunning)
		synctest.Wait()
		if got := filesWith(t, secrets, value); len(got) != 1 {
			t.Errorf("when the image is there secrets are in %q", got)
		}
		h.plane.Set(machine, desired.State{})
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if got := filesWith(t, h.memory, value); len(got) > 0 {
			t.Errorf("when nothing needs them secrets are in %q", got)
		}
		stop()
		if logged.Len() == 0 || bytes.Contains(logged.Bytes(), []byte(value)) {
			t.Errorf("the log shows a secret, or nothing: %s", &logged)
		}
	})
}

// A node that comes back without a control plane has the keys that its load balancers
// need, and the passwords of tasks that are still to be pulled.
func TestSecretsAfterRestart(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{"image": {}})
		b := &balancers{network: h.network}
		h.followers = append(h.followers, b)
		a, password := withPassword("a")
		state, key := withCertificate("chain", value)
		h.plane.SetSecret(password)
		h.plane.SetSecret(key)
		h.runtime.Hold("image")
		h.tasks = []desired.Assignment{a}
		state.Tasks = h.tasks
		h.plane.Set(machine, state)
		stop := h.start()
		time.Sleep(time.Minute)
		synctest.Wait()
		stop()
		h.disconnected = true
		b.given()
		h.runtime.Let("image")
		defer h.start()()
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := b.given(); !got[key.ID].Equal(key.Value) {
			t.Error("the follower has not got the key")
		}
		if got := h.runtime.Passwords(); len(got) != 2 || !got[1].Equal(password.Value) {
			t.Errorf("%d pulls have got the password", len(got))
		}
		if _, there := h.runtime.Spec("a-0"); !there {
			t.Error("the task does not run")
		}
	})
}

// What cannot be asked for is waited for; when the time is up, or it is refused, the
// task ends with the reason that ECS gives.
func TestPasswordThatIsNotThere(t *testing.T) {
	for what, want := range map[string]string{
		"nobody answers": "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth from Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network configuration.",
		"not found":      "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve ecr registry auth: service call has been retried 1 time(s): ",
		"refused":        "ResourceInitializationError: no",
		"late":           "",
	} {
		t.Run(what, func(t *testing.T) {
			simulated(t, func(t *testing.T) {
				h := newFixture(t, map[string]nodetest.Script{"image": {}})
				a, password := withPassword("a")
				h.secret = func(ctx context.Context, id desired.SecretID) (secret.Text, error) {
					switch what {
					case "nobody answers":
						<-ctx.Done()
						return secret.Text{}, ctx.Err()
					case "refused":
						return secret.Text{}, errors.New("ResourceInitializationError: no")
					case "late":
						time.Sleep(59 * time.Minute)
						return password.Value, nil
					}
					return h.plane.Secret(ctx, machine, id)
				}
				defer h.start()()
				h.assign(a)
				if what == "late" {
					h.reach(0, fargo.TaskRunning)
					return
				}
				r := h.reach(0, fargo.TaskStopped)
				if r.StopCode != fargo.StopTaskFailedToStart || !strings.HasPrefix(r.StoppedReason, want) {
					t.Errorf("report: %+v", r)
				}
			})
		})
	}
}

// A listener whose new certificate has no key yet keeps the old one, over a restart
// too, and gets the new one when the key is there.
func TestCertificateWithoutItsKey(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, nil)
		b := &balancers{network: h.network}
		h.followers = append(h.followers, b)
		stop := h.start()
		state, key := withCertificate("old", value)
		h.plane.SetSecret(key)
		h.plane.Set(machine, state)
		serves := func(chain string, key desired.Secret) {
			t.Helper()
			time.Sleep(time.Minute)
			synctest.Wait()
			secrets := b.given()
			if got := b.chains(); !slices.Equal(got, []string{chain}) || !secrets[key.ID].Equal(key.Value) {
				t.Errorf("the listener has the certificates %q, want %q", got, chain)
			}
		}
		serves("old", key)
		state, next := withCertificate("new", "next-"+value)
		h.plane.Set(machine, state)
		serves("old", key)
		stop()
		h.disconnected = true
		stop = h.start()
		serves("old", key)
		stop()
		h.disconnected = false
		h.plane.SetSecret(next)
		defer h.start()()
		serves("new", next)
		if got := filesWith(t, filepath.Join(h.memory, "secrets"), value); len(got) != 1 {
			t.Errorf("secrets are in %q", got)
		}
	})
}

// A secret's file that is damaged, or of another secret, is removed, and the secret is
// asked for again.
func TestBrokenSecrets(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, nil)
		b := &balancers{network: h.network}
		h.followers = append(h.followers, b)
		state, key := withCertificate("chain", value)
		h.plane.SetSecret(key)
		h.plane.Set(machine, state)
		stop := h.start()
		b.calls()
		stop()
		dir := filepath.Join(h.memory, "secrets")
		files := filesWith(t, dir, value)
		if len(files) != 1 {
			t.Fatalf("secrets are in %q", files)
		}
		whole, err := os.ReadFile(files[0])
		err = errors.Join(err, os.WriteFile(files[0], whole[:len(whole)/2], 0o600),
			os.WriteFile(filepath.Join(dir, "copy"), whole, 0o600), os.Mkdir(filepath.Join(dir, "directory"), 0o700))
		if err != nil {
			t.Fatal(err)
		}
		b.given()
		defer h.start()()
		b.calls()
		if got := b.given(); !got[key.ID].Equal(key.Value) {
			t.Error("the follower has not got the key")
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
			t.Errorf("the directory has %v, %v", entries, err)
		}
	})
}
