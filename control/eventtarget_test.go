package control

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fargo"
	"fargo/aws/ecs"
	"fargo/aws/events"
	"fargo/aws/protocol"
	"fargo/eventbus"
	"fargo/record"
	"fargo/store"
)

func eventTargets(t *testing.T) *EventTargets {
	db := openEvents(t, store.NewMemory())
	t.Cleanup(func() { db.Close() })
	return &EventTargets{DB: db, Router: eventbus.NewRouter(), HTTP: http.DefaultClient, Assumable: func(_ store.Reader, role, _, _ string) bool { return role == "good" }}
}

// An API destination is called with what the target, the endpoint and the connection say,
// and with what the connection keeps secret.
func TestSendToAPIDestination(t *testing.T) {
	var got *http.Request
	var body string
	status := 200
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			if err := r.ParseForm(); err != nil || r.Form.Get("client_secret") != "hush" || r.Form.Get("grant_type") != "client_credentials" {
				w.WriteHeader(401)
				return
			}
			io.WriteString(w, `{"access_token": "t1"}`)
			return
		}
		b, _ := io.ReadAll(r.Body)
		got, body = r, string(b)
		w.WriteHeader(status)
	}))
	defer server.Close()
	e := eventTargets(t)
	connection, destination := new(eventScope.ARN("events", "connection/c/1")), new(eventScope.ARN("events", "api-destination/d/1"))
	authorize := func(p events.CreateConnectionAuthRequestParameters) {
		p.InvocationHttpParameters = &events.ConnectionHttpParameters{
			HeaderParameters:      []events.ConnectionHeaderParameter{{Key: new("X-Secret"), Value: new("h")}},
			QueryStringParameters: []events.ConnectionQueryStringParameter{{Key: new("q"), Value: new("2")}},
			BodyParameters:        []events.ConnectionBodyParameter{{Key: new("b"), Value: new("3")}},
		}
		put(t, e.DB, func(tx *store.Tx) {
			c := &record.EventConnection{Scope: eventScope, Connection: events.DescribeConnectionOutput{Name: new("c"), ConnectionArn: connection}}
			store.EventConnections.Put(tx, c)
			store.EventConnectionSecrets.Put(tx, &record.EventConnectionSecret{Connection: c.Key(), Parameters: p})
			store.APIDestinations.Put(tx, &record.APIDestination{Scope: eventScope, Destination: events.DescribeApiDestinationOutput{
				Name: new("d"), ApiDestinationArn: destination, ConnectionArn: connection, HttpMethod: events.ApiDestinationHttpMethodPut, InvocationEndpoint: new(server.URL + "/v1/*/x"),
			}})
		})
	}
	send := func() error {
		_, err := e.Send(t.Context(), &record.EventDelivery{Scope: eventScope, Owner: eventScope.ARN("events", "rule/r"), Body: `{"a": 1}`, Target: events.Target{
			Arn: destination, HttpParameters: &events.HttpParameters{
				PathParameterValues: []string{"a/b"}, HeaderParameters: map[string]string{"X-Open": "o"}, QueryStringParameters: map[string]string{"p": "1"},
			},
		}})
		return err
	}
	undeliverable := new(UndeliverableError)
	if err := send(); !errors.As(err, &undeliverable) || undeliverable.Code != "NO_RESOURCE" {
		t.Errorf("without a destination: %v", err)
	}
	for _, c := range []struct {
		parameters events.CreateConnectionAuthRequestParameters
		header     string
		want       string
	}{
		{events.CreateConnectionAuthRequestParameters{BasicAuthParameters: &events.CreateConnectionBasicAuthRequestParameters{Username: new("u"), Password: new("p")}}, "Authorization", "Basic dTpw"},
		{events.CreateConnectionAuthRequestParameters{ApiKeyAuthParameters: &events.CreateConnectionApiKeyAuthRequestParameters{ApiKeyName: new("X-Key"), ApiKeyValue: new("k")}}, "X-Key", "k"},
		{events.CreateConnectionAuthRequestParameters{OAuthParameters: &events.CreateConnectionOAuthRequestParameters{
			AuthorizationEndpoint: new(server.URL + "/token"), HttpMethod: events.ConnectionOAuthHttpMethodPost,
			ClientParameters: &events.CreateConnectionOAuthClientRequestParameters{ClientID: new("id"), ClientSecret: new("hush")},
		}}, "Authorization", "Bearer t1"},
	} {
		authorize(c.parameters)
		if err := send(); err != nil {
			t.Fatal(err)
		}
		if got.Method != "PUT" || got.URL.RequestURI() != "/v1/a%2Fb/x?p=1&q=2" || got.Header.Get("X-Open") != "o" || got.Header.Get("X-Secret") != "h" ||
			got.Header.Get(c.header) != c.want || body != `{"a":1,"b":"3"}` {
			t.Errorf("got %s %s %v %s", got.Method, got.URL.RequestURI(), got.Header, body)
		}
	}
	for code, final := range map[int]bool{400: true, 403: true, 401: false, 429: false, 503: false} {
		status = code
		if err := send(); err == nil || errors.As(err, &undeliverable) != final {
			t.Errorf("status %d: %v", code, err)
		}
	}
}

// Tasks are run with a role that trusts EventBridge, under the delivery's id and with the
// overrides that an input says.
func TestSendToCluster(t *testing.T) {
	e := eventTargets(t)
	var got *ecs.RunTaskInput
	e.RunTask = func(_ context.Context, _ fargo.Scope, _ string, in *ecs.RunTaskInput) (*ecs.RunTaskOutput, error) {
		got = in
		if *in.TaskDefinition == "none" {
			return nil, ecs.ClusterNotFoundException("Cluster not found.")
		}
		return &ecs.RunTaskOutput{}, nil
	}
	send := func(role, definition string, input *string) error {
		_, err := e.Send(t.Context(), &record.EventDelivery{Scope: eventScope, ID: "id", Owner: eventScope.ARN("events", "rule/r"), Body: "{\"containerOverrides\": [{\"name\": \"c\"}]}", Target: events.Target{
			Arn: new(eventScope.ARN("ecs", "cluster/c")), RoleArn: &role, Input: input, EcsParameters: &events.EcsParameters{
				TaskDefinitionArn: &definition, LaunchType: events.LaunchTypeFargate,
				NetworkConfiguration: &events.NetworkConfiguration{AwsvpcConfiguration: &events.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}},
			},
		}})
		return err
	}
	undeliverable := new(UndeliverableError)
	if err := send("bad", "t", nil); !errors.As(err, &undeliverable) || undeliverable.Code != "NO_PERMISSIONS" {
		t.Errorf("with a role that does not trust: %v", err)
	}
	if err := send("good", "none", nil); !errors.As(err, &undeliverable) || undeliverable.Code != "NO_RESOURCE" {
		t.Errorf("without a cluster: %v", err)
	}
	if err := send("good", "t", nil); err != nil || *got.ClientToken != "id" || *got.StartedBy != "events-rule/r" || got.Overrides != nil || got.NetworkConfiguration.AwsvpcConfiguration.Subnets[0] != "subnet-1" {
		t.Errorf("%v: %+v", err, got)
	}
	if err := send("good", "t", new("given")); err != nil || *got.Overrides.ContainerOverrides[0].Name != "c" {
		t.Errorf("%v: %+v", err, got)
	}
}

// An event goes from one bus to another under a new id, and not to a third.
func TestSendToBus(t *testing.T) {
	e := eventTargets(t)
	rule := func(bus, to string) *record.EventRule {
		return &record.EventRule{Scope: eventScope, Rule: events.DescribeRuleOutput{
			Name: new("r"), Arn: new(eventScope.ARN("events", "rule/"+bus+"/r")), EventBusName: &bus, EventPattern: new(`{"source": ["shop"]}`), State: events.RuleStateEnabled,
		}, Targets: []events.Target{{Id: new("t"), Arn: new(eventScope.ARN("events", "event-bus/"+to))}}}
	}
	put(t, e.DB, func(tx *store.Tx) {
		for _, name := range []string{"second", "third"} {
			store.EventBuses.Put(tx, &record.EventBus{Scope: eventScope, Bus: events.DescribeEventBusOutput{Name: &name}})
		}
		store.EventRules.Put(tx, rule("default", "second"))
		store.EventRules.Put(tx, rule("second", "third"))
		store.EventRules.Put(tx, rule("third", "none"))
	})
	event := &eventbus.Event{ID: "1", Source: "shop", DetailType: "Order", Scope: eventScope, Time: time.Now(), Detail: []byte(`{"html":"<b>&"}`)}
	first, err := e.Router.Route(e.DB.View(), eventScope, "default", event, time.Now())
	if err != nil || len(first) != 1 {
		t.Fatal(err, first)
	}
	second, err := e.Send(t.Context(), first[0])
	if err != nil || len(second) != 1 || !second[0].Forwarded || strings.Contains(second[0].Body, `"id":"1"`) || !strings.HasSuffix(second[0].Body, `"detail":{"html":"<b>&"}}`) {
		t.Fatal(err, second)
	}
	if third, err := e.Send(t.Context(), second[0]); err != nil || len(third) != 0 {
		t.Errorf("a third bus gets %v, %v", third, err)
	}
	// The router sees what has changed since.
	put(t, e.DB, func(tx *store.Tx) {
		r := rule("default", "second")
		r.Rule.State = events.RuleStateDisabled
		store.EventRules.Put(tx, r)
	})
	if all, err := e.Router.Route(e.DB.View(), eventScope, "default", event, time.Now()); err != nil || len(all) != 0 {
		t.Errorf("a disabled rule matches: %v, %v", all, err)
	}
}

// What cannot be delivered goes to the dead-letter queue, with why, and a queue gets what is
// for it. What cannot be delivered there is given up.
func TestDeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := eventTargets(t)
		var mu sync.Mutex
		got := map[string]QueueMessage{}
		e.SendMessage = func(_ context.Context, queue fargo.ARN, m QueueMessage) error {
			mu.Lock()
			defer mu.Unlock()
			switch queue.Resource {
			case "busy":
				return errors.New("status 503")
			case "gone":
				return protocol.Errorf("QueueDoesNotExist", "The specified queue does not exist.")
			}
			got[queue.Resource] = m
			return nil
		}
		put(t, e.DB, func(tx *store.Tx) {
			deliver := func(queue, dead string, retries int32, change func(*record.EventDelivery)) {
				d := &record.EventDelivery{Scope: eventScope, ID: queue + " to " + dead, Owner: eventScope.ARN("events", "rule/r"), Body: "{}", Made: time.Now(), Target: events.Target{
					Id: new("t"), Arn: new(eventScope.ARN("sqs", queue)), RetryPolicy: &events.RetryPolicy{MaximumRetryAttempts: &retries},
					DeadLetterConfig: &events.DeadLetterConfig{Arn: new(eventScope.ARN("sqs", dead))},
				}}
				change(d)
				store.EventDeliveries.Put(tx, d)
			}
			deliver("q", "unused", 0, func(d *record.EventDelivery) {
				d.Target.SqsParameters = &events.SqsParameters{MessageGroupId: new("g")}
			})
			deliver("gone", "of-gone", 9, func(*record.EventDelivery) {})
			deliver("busy", "of-busy", 2, func(*record.EventDelivery) {})
			deliver("gone", "gone", 0, func(*record.EventDelivery) {})
			deliver("busy", "of-old", 100, func(d *record.EventDelivery) {
				d.Target.RetryPolicy.MaximumEventAgeInSeconds = new(int32(60))
				d.Owner, d.Scheduled, d.Body = eventScope.ARN("scheduler", "schedule/default/s"), time.Unix(0, 0).UTC(), "<aws.scheduler.scheduled-time>"
			})
		})
		stop := runEvents(t, e.DB, e.Send)
		time.Sleep(2 * time.Hour)
		stop()
		if m := got["q"]; m.Body != "{}" || m.GroupID != "g" || m.ID != "q to unused" || m.Attributes != nil {
			t.Errorf("the queue has %+v", m)
		}
		attributes := func(dead string, want map[string]string) {
			t.Helper()
			if have := got[dead].Attributes; !maps.Equal(have, want) {
				t.Errorf("%s has %v, want %v", dead, have, want)
			}
		}
		rule, target := eventScope.ARN("events", "rule/r"), func(q string) string { return eventScope.ARN("sqs", q) }
		attributes("of-gone", map[string]string{"RULE_ARN": rule, "TARGET_ARN": target("gone"), "ERROR_CODE": "NO_RESOURCE", "ERROR_MESSAGE": "NO_RESOURCE: QueueDoesNotExist: The specified queue does not exist.", "RETRY_ATTEMPTS": "0"})
		attributes("of-busy", map[string]string{"RULE_ARN": rule, "TARGET_ARN": target("busy"), "ERROR_CODE": "SDK_CLIENT_ERROR", "ERROR_MESSAGE": "status 503", "RETRY_ATTEMPTS": "2", "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts"})
		old := got["of-old"]
		if old.Body != "1970-01-01T00:00:00Z" || old.Attributes["SCHEDULE_ARN"] != eventScope.ARN("scheduler", "schedule/default/s") || old.Attributes["SCHEDULED_TIME"] != old.Body ||
			old.Attributes["EXECUTION_ID"] != "busy to of-old" || old.Attributes["EXHAUSTED_RETRY_CONDITION"] != "MaximumEventAgeInSeconds" || old.Attributes["RULE_ARN"] != "" {
			t.Errorf("the schedule's dead letter is %+v", old)
		}
		if n := count(store.EventDeliveries.All(e.DB.View())); n != 0 || len(got) != 4 {
			t.Errorf("%d deliveries are left; queues have %v", n, got)
		}
	})
}

// called is a function, "known", that says how it was called.
type called struct {
	ids   []string
	event string
	err   error
}

func (c *called) Callable(arn string) bool { return strings.HasSuffix(arn, ":known") }

func (c *called) Invoke(_ context.Context, _ fargo.Scope, id, _ string, event []byte) error {
	c.ids, c.event = append(c.ids, id), string(event)
	return c.err
}

// Functions are called with the event; a second attempt is another call. A schedule needs
// a role, as there.
func TestSendToFunction(t *testing.T) {
	e := eventTargets(t)
	c := &called{}
	e.Functions = c
	d := &record.EventDelivery{
		Scope: eventScope, ID: "1", Owner: eventScope.ARN("events", "rule/r"), Body: `{"a":1}`,
		Target: events.Target{Arn: new(eventScope.ARN("lambda", "function:known"))},
	}
	if _, err := e.Send(t.Context(), d); err != nil || c.event != `{"a":1}` {
		t.Errorf("it got %s, %v", c.event, err)
	}
	c.err = errors.New("it has raised an error")
	d.Attempts++
	undeliverable := new(UndeliverableError)
	if _, err := e.Send(t.Context(), d); !errors.Is(err, c.err) || errors.As(err, &undeliverable) {
		t.Errorf("a function that fails: %v", err)
	}
	if c.ids[0] == c.ids[1] {
		t.Errorf("two attempts are the call %s", c.ids[0])
	}
	c.err = nil
	d.Owner = eventScope.ARN("scheduler", "schedule/default/s")
	for role, want := range map[string]string{"good": "", "bad": "NO_PERMISSIONS"} {
		d.Target.RoleArn = &role
		if _, err := e.Send(t.Context(), d); (err == nil) != (want == "") || err != nil && (!errors.As(err, &undeliverable) || undeliverable.Code != want) {
			t.Errorf("for a schedule with the %s role: %v", role, err)
		}
	}
	d.Target.Arn = new(eventScope.ARN("lambda", "function:unknown"))
	if _, err := e.Send(t.Context(), d); !errors.As(err, &undeliverable) || undeliverable.Code != "NO_RESOURCE" {
		t.Errorf("a function that nothing is given for: %v", err)
	}
}

// A function that takes its time holds up no other target, and the delivery is there until
// it has ended.
func TestFunctionsHoldUpNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openEvents(t, store.NewMemory())
		defer db.Close()
		put(t, db, func(tx *store.Tx) {
			for n := range maxSending {
				store.EventDeliveries.Put(tx, &record.EventDelivery{
					Scope: eventScope, ID: "f" + string(rune('a'+n)), Owner: "o", Target: events.Target{Arn: new(eventScope.ARN("lambda", "function:f"))}, Made: time.Now(),
				})
			}
			store.EventDeliveries.Put(tx, &record.EventDelivery{Scope: eventScope, ID: "q", Owner: "o", Target: events.Target{Arn: new(eventScope.ARN("sqs", "q"))}, Made: time.Now()})
		})
		send := func(ctx context.Context, d *record.EventDelivery) ([]*record.EventDelivery, error) {
			if d.ID == "q" {
				return nil, nil
			}
			select {
			case <-time.After(10 * time.Minute):
				return nil, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for _, toFunctions := range []bool{false, true} {
			running.Go(func() {
				if err := (&Deliverer{DB: db, Logger: slog.New(slog.DiscardHandler), Send: send, ToFunctions: toFunctions}).Run(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(time.Minute)
		if n := count(store.EventDeliveries.All(db.View())); n != maxSending {
			t.Errorf("%d deliveries are left", n)
		}
		time.Sleep(10 * time.Minute)
		if n := count(store.EventDeliveries.All(db.View())); n != 0 {
			t.Errorf("%d deliveries are left", n)
		}
		cancel()
		running.Wait()
	})
}
