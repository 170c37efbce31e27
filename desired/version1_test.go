package desired

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fargo/secret"
)

// withSecrets adds to a state what needs secrets.
func withSecrets(t *rapid.T, s State) State {
	for i := range s.Tasks {
		a := &s.Tasks[i]
		for j := range rapid.IntRange(1, 3).Draw(t, "containers") {
			c := ContainerAssignment{Name: fmt.Sprint(j), Image: "image", Pull: PullSource{Digest: "sha256:d"}}
			if rapid.Bool().Draw(t, "password") {
				c.Pull.Username, c.Pull.PasswordID = "AWS", RegistryPasswordOf(a.TaskARN)
			}
			a.Containers = append(a.Containers, c)
		}
	}
	for i := range s.Balancers {
		for j := range rapid.IntRange(0, 3).Draw(t, "certificates") {
			chain := fmt.Sprint("chain ", i, j)
			l := &s.Balancers[i].Listeners[0]
			l.Certificates = append(l.Certificates, Certificate{ARN: fmt.Sprint("certificate/", j), Chain: chain, KeyID: CertificateKeyOf(chain)})
		}
	}
	return s
}

func valueOf(id SecretID) (secret.Text, error) { return secret.New("value of " + string(id)), nil }

// What a side of version 1 writes is read as what it means, and its secrets are found;
// what is written for such a side has them inside, where it looks for them.
func TestVersion1(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		state := withSecrets(t, desireds.Draw(t, "state"))
		v1, err := state.ToV1(valueOf)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(v1)
		if err != nil {
			t.Fatal(err)
		}
		// A side of version 1 names no secrets.
		text = []byte(withoutIDs(string(text)))
		var read StateV1
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatal(err)
		}
		got, secrets := read.Current()
		if !equal(got, state) {
			t.Fatalf("read as something else: %s", cmp.Diff(state, got, addresses))
		}
		ids := map[SecretID]bool{}
		for _, s := range secrets {
			if want, _ := valueOf(s.ID); !s.Value.Equal(want) {
				t.Fatalf("another value for %s", s.ID)
			}
			ids[s.ID] = true
		}
		for _, id := range secretsOf(state) {
			if !ids[id] {
				t.Fatalf("%s was not inside", id)
			}
		}
		d := Diff(State{}, state)
		dv1, err := d.ToV1(valueOf)
		if err != nil {
			t.Fatal(err)
		}
		back, inside := dv1.Current()
		if led := Apply(State{}, &back); !equal(led, state) || len(inside) != len(secrets) {
			t.Fatalf("a delta leads elsewhere: %s", cmp.Diff(state, led, addresses))
		}
	})
}

func secretsOf(s State) []SecretID {
	ids := DataPlaneSecrets(&s)
	for i := range s.Tasks {
		for j := range s.Tasks[i].Containers {
			ids = append(ids, s.Tasks[i].Containers[j].Secrets()...)
		}
	}
	return ids
}

// withoutIDs takes the names of secrets out of JSON.
func withoutIDs(text string) string {
	for _, name := range []string{`,"passwordId":"`, `,"keyId":"`} {
		for {
			before, rest, found := strings.Cut(text, name)
			if !found {
				break
			}
			_, after, _ := strings.Cut(rest, `"`)
			text = before + after
		}
	}
	return text
}

// What a node of version 1 is sent reads, in its own types, as it expects.
func TestVersion1AsItReads(t *testing.T) {
	state := State{
		Tasks: []Assignment{{TaskARN: "task/1", Containers: []ContainerAssignment{{Name: "web", Pull: PullSource{
			Endpoint: "http://127.0.0.1:4566", Username: "AWS", PasswordID: RegistryPasswordOf("task/1"),
		}}}}},
		Balancers: []Balancer{{ARN: "loadbalancer/1", Listeners: []BalancerListener{{
			ARN: "listener/1", Port: 443, Certificates: []Certificate{{ARN: "certificate/1", Chain: "chain", KeyID: CertificateKeyOf("chain")}},
		}}}},
	}
	v1, err := state.ToV1(valueOf)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(v1)
	if err != nil {
		t.Fatal(err)
	}
	var old struct {
		Tasks []struct {
			TaskARN    string `json:"taskArn"`
			Containers []struct {
				Name string `json:"name"`
				Pull struct{ Endpoint, Username, Password string }
			} `json:"containers"`
		} `json:"tasks"`
		Balancers []struct {
			ARN       string `json:"arn"`
			Listeners []struct {
				Port         uint16 `json:"port"`
				Certificates []struct{ ARN, Chain, Key string }
			} `json:"listeners"`
		} `json:"balancers"`
	}
	if err := json.Unmarshal(text, &old); err != nil {
		t.Fatal(err)
	}
	if c := old.Tasks[0].Containers[0]; old.Tasks[0].TaskARN != "task/1" || c.Name != "web" || c.Pull.Endpoint != "http://127.0.0.1:4566" ||
		c.Pull.Username != "AWS" || c.Pull.Password != "value of "+string(RegistryPasswordOf("task/1")) {
		t.Errorf("the task reads as %+v", old.Tasks[0])
	}
	if l := old.Balancers[0].Listeners[0]; old.Balancers[0].ARN != "loadbalancer/1" || l.Port != 443 || l.Certificates[0].ARN != "certificate/1" ||
		l.Certificates[0].Chain != "chain" || l.Certificates[0].Key != "value of "+string(CertificateKeyOf("chain")) {
		t.Errorf("the load balancer reads as %+v", old.Balancers[0])
	}
	failed := errors.New("no such secret")
	if _, err := state.ToV1(func(SecretID) (secret.Text, error) { return secret.Text{}, failed }); !errors.Is(err, failed) {
		t.Errorf("without its secrets: %v", err)
	}
}
