package logs_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/logs"
	wire "fargo/aws/logs"
	"fargo/aws/protocol"
	"fargo/desired"
	engine "fargo/logs"
)

// here is the call of a client in the default account and region.
func here(ctx context.Context) context.Context {
	return api.WithCall(ctx, &api.Call{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion, RequestID: "r"})
}

const arnPrefix = "arn:aws:logs:us-east-1:123456789012:log-group:"

func newTailed(t *testing.T) (*logs.Server, func(stream string, messages ...string)) {
	_, store := newAPI(t)
	scope := fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(store.CreateGroup(t.Context(), scope, engine.Group{Name: "g"}))
	must(store.CreateGroup(t.Context(), scope, engine.Group{Name: "h"}))
	for _, name := range []string{"a", "b"} {
		must(store.CreateStream(t.Context(), scope, "g", name))
	}
	return logs.New(logs.Config{Store: store}), func(stream string, messages ...string) {
		var events []desired.LogEvent
		for _, m := range messages {
			events = append(events, desired.LogEvent{Timestamp: time.Now().UnixMilli(), Message: m})
		}
		must(store.Put(t.Context(), scope, "g", stream, events))
	}
}

func TestLiveTail(t *testing.T) {
	server, put := newTailed(t)
	ctx, leave := context.WithCancel(here(t.Context()))
	out, err := server.StartLiveTail(ctx, &wire.StartLiveTailInput{
		LogGroupIdentifiers: []string{arnPrefix + "g"}, LogStreamNames: []string{"a"}, LogEventFilterPattern: new("ok"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if first := <-out.ResponseStream; first.SessionStart == nil || *first.SessionStart.SessionId == "" {
		t.Fatalf("first event %+v is not sessionStart", first)
	}
	many := make([]string, 2000)
	for i := range many {
		many[i] = fmt.Sprint("ok ", i)
	}
	put("a", "one ok", "other")
	put("b", "ok elsewhere")
	got := await(t, out.ResponseStream)
	if len(got.SessionResults) != 1 || *got.SessionResults[0].Message != "one ok" ||
		*got.SessionResults[0].LogGroupIdentifier != arnPrefix+"g" || *got.SessionMetadata.Sampled {
		t.Errorf("update: %+v", got)
	}
	put("a", many...)
	got = await(t, out.ResponseStream)
	if len(got.SessionResults) != 500 || !*got.SessionMetadata.Sampled {
		t.Errorf("%d results, sampled %v; want a sample of 500", len(got.SessionResults), *got.SessionMetadata.Sampled)
	}
	leave()
	for range out.ResponseStream { // closed once the client has gone
	}
}

// await gives the next update that shows something.
func await(t *testing.T, stream <-chan wire.StartLiveTailResponseStream) *wire.LiveTailSessionUpdate {
	t.Helper()
	for deadline := time.After(30 * time.Second); ; {
		select {
		case e := <-stream:
			if e.SessionUpdate != nil && len(e.SessionUpdate.SessionResults) > 0 {
				return e.SessionUpdate
			}
		case <-deadline:
			t.Fatal("no update in time")
		}
	}
}

func TestLiveTailRefusals(t *testing.T) {
	server, _ := newTailed(t)
	both := []string{arnPrefix + "g", arnPrefix + "h"}
	for _, c := range []struct {
		in   wire.StartLiveTailInput
		code string
	}{
		{wire.StartLiveTailInput{LogGroupIdentifiers: []string{"g"}}, "InvalidParameterException"},
		{wire.StartLiveTailInput{LogGroupIdentifiers: []string{arnPrefix + "none"}}, "ResourceNotFoundException"},
		{wire.StartLiveTailInput{LogGroupIdentifiers: both, LogStreamNames: []string{"a"}}, "InvalidParameterException"},
		{wire.StartLiveTailInput{LogGroupIdentifiers: both[:1], LogStreamNames: []string{"a"}, LogStreamNamePrefixes: []string{"b"}}, "InvalidParameterException"},
		{wire.StartLiveTailInput{LogGroupIdentifiers: both, LogEventFilterPattern: new("{")}, "InvalidParameterException"},
	} {
		_, err := server.StartLiveTail(here(t.Context()), &c.in)
		if e := (*protocol.Error)(nil); !errors.As(err, &e) || e.Code != c.code {
			t.Errorf("%+v: %v, want %s", c.in, err, c.code)
		}
	}
	ctx, leave := context.WithCancel(here(t.Context()))
	defer leave()
	var err error
	for range 15 {
		if _, err = server.StartLiveTail(ctx, &wire.StartLiveTailInput{LogGroupIdentifiers: both}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = server.StartLiveTail(ctx, &wire.StartLiveTailInput{LogGroupIdentifiers: both})
	if e := (*protocol.Error)(nil); !errors.As(err, &e) || e.Code != "LimitExceededException" {
		t.Errorf("sixteenth session: %v", err)
	}
}
