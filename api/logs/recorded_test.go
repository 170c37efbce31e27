package logs_test

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"testing"

	"fargo"
	"fargo/api"
	"fargo/api/apitest"
	"fargo/api/logs"
	wire "fargo/aws/logs"
	"fargo/aws/protocol"
	engine "fargo/logs"
)

func newServer(t *testing.T) *logs.Server {
	t.Helper()
	store, err := engine.Open(t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return logs.New(logs.Config{Store: store})
}

// CloudWatch Logs answers as AWS was recorded to.
func TestRecorded(t *testing.T) {
	apitest.RunRecorded(t, func(t *testing.T) apitest.Setup {
		return apitest.Setup{Services: []api.Mounted{{Service: &wire.API, Server: newServer(t)}}}
	})
}

func TestTexts(t *testing.T) { apitest.Texts(t, ".") }

// Every operation that takes a log group's name or its identifier refuses both and
// neither. That both are refused so is recorded of DescribeLogStreams.
func TestNameOrIdentifier(t *testing.T) {
	server, found := newServer(t), 0
	ctx := api.WithCall(context.Background(), &api.Call{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion})
	for _, op := range wire.API.Operations {
		if op.Bind == nil {
			continue
		}
		handle, ok := op.Bind(server)
		in := op.Input()
		v := reflect.ValueOf(in).Elem()
		name, identifier := v.FieldByName("LogGroupName"), v.FieldByName("LogGroupIdentifier")
		if !ok || !name.IsValid() || !identifier.IsValid() {
			continue
		}
		found++
		if stream := v.FieldByName("LogStreamName"); stream.IsValid() {
			stream.Set(reflect.ValueOf(new("s")))
		}
		refuses(t, op.Name, func() error { _, err := handle(ctx, in); return err }, "InvalidParameterException: Either LogGroup name or LogGroup identifier must be specified.")
		name.Set(reflect.ValueOf(new("g")))
		identifier.Set(reflect.ValueOf(new("g")))
		refuses(t, op.Name, func() error { _, err := handle(ctx, in); return err }, "ValidationException: LogGroup name and LogGroup ARN are mutually exclusive parameters.")
	}
	if found < 3 {
		t.Errorf("only %d operations take either", found)
	}
}

func refuses(t *testing.T, op string, call func() error, want string) {
	t.Helper()
	err := call()
	var e *protocol.Error
	if !errors.As(err, &e) || e.Error() != want {
		t.Errorf("%s: %v, want %s", op, err, want)
	}
}
