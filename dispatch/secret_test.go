package dispatch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"fargo/desired"
	"fargo/dispatch"
	"fargo/dispatch/dispatchtest"
	"fargo/secret"
)

const password = "correct-horse-battery-staple"

// stateWithSecrets is a task and a load balancer, and their secrets.
func stateWithSecrets() (desired.State, []desired.Secret) {
	const task, chain = "arn:aws:ecs:us-east-1:123456789012:task/default/1", "chain"
	state := desired.State{
		Tasks: []desired.Assignment{{TaskARN: task, Containers: []desired.ContainerAssignment{{
			Name: "web", Pull: desired.PullSource{Username: "AWS", PasswordID: desired.RegistryPasswordOf(task)},
		}}}},
		Balancers: []desired.Balancer{{ARN: "loadbalancer/1", Listeners: []desired.BalancerListener{{
			ARN: "listener/1", Certificates: []desired.Certificate{{ARN: "certificate/1", Chain: chain, KeyID: desired.CertificateKeyOf(chain)}},
		}}}},
	}
	return state, []desired.Secret{
		{ID: desired.RegistryPasswordOf(task), Value: secret.New(password)},
		{ID: desired.CertificateKeyOf(chain), Value: secret.New("key-" + password)},
	}
}

// secretsOfOwner is a plane that gives secrets to one node only, and fails for some.
type secretsOfOwner struct {
	*dispatchtest.Plane
	owner string
}

var failing = map[desired.SecretID]error{
	"refused": errors.New("ResourceInitializationError: no"), "unavailable": errdefs.ErrUnavailable,
}

func (s *secretsOfOwner) Secret(ctx context.Context, node string, id desired.SecretID) (secret.Text, error) {
	if node != s.owner {
		return secret.Text{}, errdefs.ErrNotFound.WithMessage("not of " + node)
	}
	if err := failing[id]; err != nil {
		return secret.Text{}, err
	}
	return s.Plane.Secret(ctx, node, id)
}

// A node gets the secrets that it asks for, and no log says what they are; a plane's
// errors come as what they are.
func TestSecrets(t *testing.T) {
	plane, socket := &secretsOfOwner{Plane: dispatchtest.New(), owner: "n"}, filepath.Join(t.TempDir(), "s")
	state, secrets := stateWithSecrets()
	plane.Set("n", state)
	for _, s := range secrets {
		plane.SetSecret(s)
	}
	serve(t, plane, socket)
	var logged bytes.Buffer
	client, err := dispatch.NewClient(dispatch.ClientConfig{
		Target: "unix://" + socket, Hello: desired.Hello{ID: "n"}, Logger: slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	done := make(chan error, 1)
	go func() { done <- client.Run(ctx, m, m) }()
	for _, s := range secrets { // perhaps before there is a session
		if got, err := client.Secret(ctx, s.ID); err != nil || !got.Equal(s.Value) {
			t.Errorf("%s: %v", s.ID, err)
		}
	}
	m.wait(t, "the assignment", func() bool { return len(m.mu.desired.Tasks) == 1 })
	if text, err := json.Marshal(m.mu.desired); err != nil || bytes.Contains(text, []byte(password)) {
		t.Errorf("what the node is assigned shows a secret: %s, %v", text, err)
	}
	if _, err := client.Secret(ctx, "none"); !errdefs.IsNotFound(err) {
		t.Errorf("one that is not there: %v", err)
	}
	if _, err := client.Secret(ctx, "refused"); err == nil || err.Error() != failing["refused"].Error() {
		t.Errorf("one that is refused: %v", err)
	}
	bounded, end := context.WithTimeout(ctx, 200*time.Millisecond)
	if _, err := client.Secret(bounded, "unavailable"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while the plane cannot say: %v", err)
	}
	end()
	cancel()
	<-done
	if strings.Contains(logged.String(), password) {
		t.Errorf("the log shows a secret: %s", &logged)
	}
}

// Who asks is the node whose session the connection has: there is no asking before a
// session, nor for another node.
func TestSecretsAreOfTheSessionsNode(t *testing.T) {
	plane, socket := &secretsOfOwner{Plane: dispatchtest.New(), owner: "n"}, filepath.Join(t.TempDir(), "s")
	_, secrets := stateWithSecrets()
	plane.SetSecret(secrets[0])
	serve(t, plane, socket)
	ask := func(conn *grpc.ClientConn) error {
		ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
		defer cancel()
		var answer map[string]any
		return conn.Invoke(ctx, "/fargo.Dispatch/Secret", map[string]any{"id": secrets[0].ID, "node": "n"}, &answer)
	}
	for _, node := range []string{"n", "other"} {
		conn := wire(t, socket)
		if err := ask(conn); status.Code(err) != codes.Unavailable {
			t.Errorf("before a session: %v", err)
		}
		if err := open(t, conn, node, desired.Version, &map[string]any{}); err != nil {
			t.Fatal(err)
		}
		if err := ask(conn); node == "n" && err != nil || node != "n" && status.Code(err) != codes.NotFound {
			t.Errorf("node %s: %v", node, err)
		}
		if err := open(t, conn, "third", desired.Version, &map[string]any{}); status.Code(err) != codes.PermissionDenied {
			t.Errorf("a session of another node on the same connection: %v", err)
		}
	}
}

// A node of version 1 gets its secrets inside, in the whole and in what follows; one of
// this version gets none.
func TestSecretsForVersion1(t *testing.T) {
	plane, socket := dispatchtest.New(), filepath.Join(t.TempDir(), "s")
	state, secrets := stateWithSecrets()
	for _, s := range secrets {
		plane.SetSecret(s)
	}
	serve(t, plane, socket)
	for version, inside := range map[int]int{1: 2, desired.Version: 0, desired.Version + 1: 0} {
		plane.Set("n", state)
		ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
		stream, err := wire(t, socket).NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/fargo.Dispatch/Session")
		if err == nil {
			err = stream.SendMsg(map[string]any{"node": "n", "contract": version})
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, what := range []string{"desired", "delta"} {
			var m map[string]json.RawMessage
			if err := stream.RecvMsg(&m); err != nil {
				t.Fatal(err)
			}
			if got := bytes.Count(m[what], []byte(password)); m[what] == nil || got != inside {
				t.Errorf("version %d: %d secrets in %s", version, got, m)
			}
			again := state
			again.Tasks = append([]desired.Assignment(nil), state.Tasks...)
			again.Tasks[0].Family, again.Balancers = "changed", []desired.Balancer{{ARN: "loadbalancer/1", Name: "changed", Listeners: state.Balancers[0].Listeners}}
			plane.Set("n", again)
		}
		cancel()
	}
}

// A control plane of version 1 sends secrets inside: they are not in what the node is
// assigned, and it can ask for them.
func TestSecretsOfAPlaneOfVersion1(t *testing.T) {
	state, secrets := stateWithSecrets()
	v1, err := state.ToV1(func(id desired.SecretID) (secret.Text, error) {
		for _, s := range secrets {
			if s.ID == id {
				return s.Value, nil
			}
		}
		return secret.Text{}, errdefs.ErrNotFound
	})
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "s")
	serveVersion1(t, socket, []map[string]any{{"desired": v1}, {"delta": map[string]any{"tasks": map[string]any{"gone": []string{state.Tasks[0].TaskARN}}}}})
	client, err := dispatch.NewClient(dispatch.ClientConfig{Target: "unix://" + socket, Hello: desired.Hello{ID: "n"}, Logger: quietly()})
	if err != nil {
		t.Fatal(err)
	}
	m := &machineWithSecrets{machine: newMachine(), client: client, t: t}
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- client.Run(ctx, m, m) }()
	m.wait(t, "both messages", func() bool { return m.mu.assigned == 2 })
	if len(m.first) != 2 || len(m.second) != 1 {
		t.Errorf("with the first message %d secrets, with the second %d", len(m.first), len(m.second))
	}
	cancel()
	<-done
}

// machineWithSecrets asks for the secrets of what it is assigned.
type machineWithSecrets struct {
	*machine
	client        *dispatch.Client
	t             *testing.T
	first, second []desired.SecretID
}

func (m *machineWithSecrets) Assign(d desired.State) {
	if text, err := json.Marshal(d); err != nil || bytes.Contains(text, []byte(password)) {
		m.t.Errorf("what the node is assigned shows a secret: %s, %v", text, err)
	}
	_, secrets := stateWithSecrets()
	var got []desired.SecretID
	for _, s := range secrets {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond) // of those that are not inside nobody says anything
		if value, err := m.client.Secret(ctx, s.ID); err == nil && value.Equal(s.Value) {
			got = append(got, s.ID)
		}
		cancel()
	}
	if m.mu.assigned == 0 {
		m.first = got
	} else {
		m.second = got
	}
	m.machine.Assign(d)
}

// serveVersion1 is a control plane that knows sessions, and no secrets.
func serveVersion1(t *testing.T, socket string, messages []map[string]any) {
	t.Helper()
	l, err := dispatch.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.ForceServerCodec(plain{}))
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "fargo.Dispatch", HandlerType: (*any)(nil),
		Streams: []grpc.StreamDesc{{StreamName: "Session", ServerStreams: true, ClientStreams: true, Handler: func(_ any, stream grpc.ServerStream) error {
			var hello map[string]any
			if err := stream.RecvMsg(&hello); err != nil {
				return err
			}
			for _, m := range messages {
				if err := stream.SendMsg(m); err != nil {
					return err
				}
			}
			<-stream.Context().Done()
			return nil
		}}},
	}, nil)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
}

// wire is a connection of its own, for messages as they are on the wire.
func wire(t *testing.T, socket string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(plain{})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// open opens a session and receives its first message.
func open(t *testing.T, conn *grpc.ClientConn, node string, version int, first *map[string]any) error {
	t.Helper()
	stream, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/fargo.Dispatch/Session")
	if err == nil {
		err = stream.SendMsg(map[string]any{"node": node, "contract": version})
	}
	if err != nil {
		return err
	}
	return stream.RecvMsg(first)
}
