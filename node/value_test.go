package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fargo"
	"fargo/desired"
	"fargo/node/nodetest"
	"fargo/secret"
)

// withVariables is a task whose container is given two secrets, and these.
func withVariables(id, image string) (desired.Assignment, []desired.Secret) {
	a := one(id, image)
	secrets := []desired.Secret{
		{ID: desired.TaskSecretOf(a.TaskARN, 0), Value: secret.New("first-" + value)},
		{ID: desired.TaskSecretOf(a.TaskARN, 1), Value: secret.New("second-" + value)},
	}
	a.Containers[0].Secrets = []desired.SecretVariable{
		{Name: "A", ValueID: secrets[0].ID}, {Name: "B", ValueID: secrets[1].ID}, {Name: "C", ValueID: secrets[0].ID},
	}
	return a, secrets
}

// given are the variables with secrets that a container was made with.
func given(h *fixture, id string) (variables []string) {
	s, _ := h.runtime.Spec(id)
	for _, v := range s.SecretEnvironment {
		variables = append(variables, v.Name+"="+v.Value.Reveal())
	}
	return variables
}

// A container has its secrets whenever it is started, also by a node that came back
// without a control plane, and after that they are nowhere. All the time they are only in
// the node's directory for secrets.
func TestSecretsOfAContainer(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{"image": {Exits: true, After: 10 * time.Minute, Code: 1}})
		var logged bytes.Buffer
		h.logger = slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
		a, secrets := withVariables("a", "image")
		a.Containers[0].Restart = &desired.RestartPolicy{AttemptPeriod: time.Minute}
		for _, s := range secrets {
			h.plane.SetSecret(s)
		}
		check := func(when string) {
			t.Helper()
			want := []string{"A=first-" + value, "B=second-" + value, "C=first-" + value}
			if got := given(h, "a-0"); !slices.Equal(got, want) {
				t.Errorf("%s the container is given %q", when, got)
			}
			for _, dir := range []string{h.dir, h.memory} {
				for _, path := range filesWith(t, dir, value) {
					if filepath.Dir(path) != filepath.Join(h.memory, "secrets") {
						t.Errorf("%s %s has a secret in it", when, path)
					}
				}
			}
		}
		stop := h.start()
		h.assign(a)
		h.reach(0, fargo.TaskRunning)
		check("at first")
		stop()
		h.disconnected = true
		stop = h.start()
		time.Sleep(15 * time.Minute)
		synctest.Wait()
		if got := h.runtime.History(); !slices.Contains(got, "remove a-0") {
			t.Fatalf("the container was not made anew: %q", got)
		}
		check("after a restart")
		stop()
		h.disconnected = false
		defer h.start()()
		h.stopTask(0, fargo.StopUserInitiated, "enough")
		h.reach(0, fargo.TaskStopped)
		synctest.Wait()
		if got := filesWith(t, h.memory, value); len(got) > 0 {
			t.Errorf("when the task has stopped secrets are in %q", got)
		}
		if logged.Len() == 0 || bytes.Contains(logged.Bytes(), []byte(value)) {
			t.Errorf("the log shows a secret, or nothing: %s", &logged)
		}
	})
}

// What is in environment files is under the variables of the definition, and the first
// file is over the others.
func TestEnvironmentFiles(t *testing.T) {
	for document, reason := range map[string]string{
		`["A=file","B=file","PLAIN=file","C=` + value + `=","D="]`: "",
		value: "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: the variables of an environment file cannot be read",
	} {
		simulated(t, func(t *testing.T) {
			h := newFixture(t, map[string]nodetest.Script{"image": {}})
			a, secrets := withVariables("a", "image")
			c := &a.Containers[0]
			c.Secrets = c.Secrets[:1]
			c.Environment = []string{"PLAIN=given"}
			files := []desired.Secret{
				{ID: desired.TaskSecretOf(a.TaskARN, 2), Value: secret.New(document)},
				{ID: desired.TaskSecretOf(a.TaskARN, 3), Value: secret.New(`["B=second","E=second"]`)},
			}
			for _, s := range append(secrets, files...) {
				h.plane.SetSecret(s)
			}
			for _, f := range files {
				c.EnvironmentFiles = append(c.EnvironmentFiles, f.ID)
			}
			defer h.start()()
			h.assign(a)
			if reason != "" {
				if r := h.reach(0, fargo.TaskStopped); r.StoppedReason != reason {
					t.Errorf("report: %+v", r)
				}
				return
			}
			h.reach(0, fargo.TaskRunning)
			want := []string{"A=first-" + value, "B=file", "C=" + value + "=", "D=", "E=second"}
			if got := given(h, "a-0"); !slices.Equal(got, want) {
				t.Errorf("the container is given %q, want %q", got, want)
			}
		})
	}
}

// A container with nothing but environment files waits for them.
func TestNothingButAnEnvironmentFile(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{"image": {}})
		a := one("a", "image")
		s := desired.Secret{ID: desired.TaskSecretOf(a.TaskARN, 0), Value: secret.New(`["A=file"]`)}
		a.Containers[0].EnvironmentFiles = []desired.SecretID{s.ID}
		h.plane.SetSecret(s)
		defer h.start()()
		h.assign(a)
		h.reach(0, fargo.TaskRunning)
		if got, want := given(h, "a-0"), []string{"A=file"}; !slices.Equal(got, want) {
			t.Errorf("the container is given %q, want %q", got, want)
		}
	})
}

// A task whose secrets cannot be had ends before anything of it is made, for the reason
// that the control plane gives.
func TestSecretsThatAreNotThere(t *testing.T) {
	const retrieval = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
	for what, want := range map[string]string{
		"nobody answers": retrieval + "the control plane did not answer in time",
		"refused":        "ResourceInitializationError: unable to pull secrets or registry auth: no",
		"fails":          retrieval + "no",
	} {
		t.Run(what, func(t *testing.T) {
			simulated(t, func(t *testing.T) {
				h := newFixture(t, map[string]nodetest.Script{"image": {}})
				a, secrets := withVariables("a", "image")
				h.secret = func(ctx context.Context, id desired.SecretID) (secret.Text, error) {
					switch {
					case id == secrets[0].ID:
						return secrets[0].Value, nil
					case what == "nobody answers":
						<-ctx.Done()
						return secret.Text{}, ctx.Err()
					case what == "fails":
						return secret.Text{}, errors.New("no")
					}
					return secret.Text{}, errors.New("ResourceInitializationError: unable to pull secrets or registry auth: no")
				}
				defer h.start()()
				h.assign(a)
				r := h.reach(0, fargo.TaskStopped)
				if r.StopCode != fargo.StopTaskFailedToStart || r.StoppedReason != want || r.Containers[0].ExitCode != nil {
					t.Errorf("report: %+v", r)
				}
				if got := h.runtime.History(); len(got) > 0 {
					t.Errorf("on the machine: %q", got)
				}
				synctest.Wait()
				if got := filesWith(t, h.memory, value); len(got) > 0 {
					t.Errorf("secrets are in %q", got)
				}
			})
		})
	}
}

// An image is pulled with the user's own credentials, when there are any.
func TestCredentialsOfARegistry(t *testing.T) {
	login, err := json.Marshal(desired.RegistryCredentials{Username: "me", Password: secret.Exposed{Text: secret.New(value)}})
	if err != nil {
		t.Fatal(err)
	}
	for document, reason := range map[string]string{
		string(login): "",
		value:         "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: the credentials of the registry cannot be read",
	} {
		simulated(t, func(t *testing.T) {
			h := newFixture(t, map[string]nodetest.Script{"image": {}})
			a := one("a", "image")
			s := desired.Secret{ID: desired.TaskSecretOf(a.TaskARN, 0), Value: secret.New(document)}
			a.Containers[0].Pull = desired.PullSource{CredentialsID: s.ID}
			h.plane.SetSecret(s)
			defer h.start()()
			h.assign(a)
			if reason != "" {
				if r := h.reach(0, fargo.TaskStopped); r.StoppedReason != reason {
					t.Errorf("report: %+v", r)
				}
				return
			}
			h.reach(0, fargo.TaskRunning)
			if got := h.runtime.Passwords(); len(got) != 1 || !got[0].Equal(secret.New(value)) {
				t.Errorf("%d pulls have got the password", len(got))
			}
			if got := h.runtime.Users(); !slices.Equal(got, []string{"me"}) {
				t.Errorf("pulls as %q", got)
			}
			synctest.Wait()
			if got := filesWith(t, h.memory, value); len(got) > 0 {
				t.Errorf("when the image is there secrets are in %q", got)
			}
		})
	}
}
