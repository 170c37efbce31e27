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
	"github.com/google/go-cmp/cmp"
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
	if tags, err := client.TaskTags(ctx, state.Tasks[0].TaskARN); err != nil || tags["node"] != "n" {
		t.Errorf("tags of its task: %v, %v", tags, err)
	}
	object := desired.LogObject{Bucket: "logs", Name: "k", Content: []byte{0x1f, 0x8b}}
	if err := client.PutLogObject(ctx, object); err != nil {
		t.Error(err)
	}
	if got, ok := plane.LogObject("logs", "k"); !ok || !bytes.Equal(got.Content, object.Content) {
		t.Errorf("the plane has %v", got)
	}
	object.Bucket = "none"
	if err := client.PutLogObject(ctx, object); !errdefs.IsNotFound(err) {
		t.Errorf("a bucket that is not there: %v", err)
	}
	measured := desired.Measurements{Sequence: "s", Number: 1, End: time.Unix(60, 0).UTC(), Tasks: []desired.TaskMeasurement{{
		TaskARN: "t", Usage: desired.Usage{CPU: time.Second, Memory: 1 << 20}, Network: &desired.NetworkUsage{Received: 1, Sent: 2},
	}}}
	if err := client.PutMeasurements(ctx, measured); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]desired.Measurements{measured}, plane.Measurements("n")); diff != "" {
		t.Errorf("measurements (-sent +arrived):\n%s", diff)
	}
	transcript := desired.ExecTranscript{ID: "ecs-execute-command-1", Content: []byte("$ \xff")}
	if err := client.PutExecTranscript(ctx, transcript); !errdefs.IsNotFound(err) {
		t.Errorf("a transcript of no session: %v", err)
	}
	report := desired.ExecSessionReport{ID: transcript.ID, ExitCode: new(3)}
	if err := errors.Join(client.ReportExecSession(ctx, report), client.PutExecTranscript(ctx, transcript)); err != nil {
		t.Error(err)
	}
	if key, err := client.DecryptExecKey(ctx, desired.ExecKey{ID: report.ID, Ciphertext: []byte("key")}); err != nil || key.Reveal() != "key" {
		t.Errorf("the data key: %v", err)
	}
	if got, ok := plane.ExecSession("n", report.ID); !ok || *got.ExitCode != 3 {
		t.Errorf("the plane has %+v", got)
	}
	if tags, err := client.TaskTags(ctx, "arn:none"); !errdefs.IsNotFound(err) {
		t.Errorf("tags of another task: %v, %v", tags, err)
	}
	plane.SetInvocation("arn:task", desired.Invocation{RequestID: "1", Event: json.RawMessage(`{"a":1}`)})
	if i, err := client.NextInvocation(ctx, "arn:task"); err != nil || string(i.Event) != `{"a":1}` {
		t.Errorf("the invocation of a task: %v, %v", i, err)
	}
	if i, err := client.NextInvocation(ctx, "arn:none"); !errdefs.IsNotFound(err) {
		t.Errorf("the invocation of another task: %v, %v", i, err)
	}
	result := desired.InvocationResult{TaskARN: "arn:task", RequestID: "1", ErrorType: "Unhandled", Error: "no"}
	if err := client.PutInvocationResult(ctx, result); err != nil {
		t.Error(err)
	}
	if got, ok := plane.InvocationResult("1"); !ok || got != result {
		t.Errorf("the plane has %v", got)
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
