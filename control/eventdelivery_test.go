package control

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fargo"
	"fargo/aws/events"
	"fargo/aws/scheduler"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

var eventScope = fargo.Scope{Account: "123456789012", Region: "us-east-1"}

// received is what targets were sent, in order.
type received struct {
	mu  sync.Mutex
	all []string
}

func (r *received) add(d *record.EventDelivery) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, d.ID)
}

func (r *received) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

func openEvents(t *testing.T, journal store.Journal) *store.DB {
	db, err := store.Open(t.Context(), journal)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// runEvents runs the controllers of schedules and a Deliverer until stop is called.
func runEvents(t *testing.T, db *store.DB, send func(context.Context, *record.EventDelivery) ([]*record.EventDelivery, error)) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	log := slog.New(slog.DiscardHandler)
	var running sync.WaitGroup
	running.Go(func() {
		_ = Run(ctx, db, log, []Controller{RuleSchedules(), Schedules()})
	})
	running.Go(func() {
		if err := (&Deliverer{DB: db, Logger: log, Send: send}).Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}

func put(t testing.TB, db *store.DB, fn func(tx *store.Tx)) {
	if err := db.Update(t.Context(), func(tx *store.Tx) error { fn(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

func minutely(since time.Time) *record.EventRule {
	return &record.EventRule{Scope: eventScope, Since: since, Rule: events.DescribeRuleOutput{
		Name: new("r"), Arn: new(eventScope.ARN("events", "rule/r")), EventBusName: new("default"), ScheduleExpression: new("rate(1 minute)"), State: events.RuleStateEnabled,
	}, Targets: []events.Target{{Id: new("t"), Arn: new(eventScope.ARN("sqs", "q"))}}}
}

// A rule fires a period after it was made, and then every period, also when the process
// ends in between; of what was missed only the last is made up for.
func TestRuleSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := store.NewMemory()
		db := openEvents(t, journal)
		begin := time.Now()
		rule := minutely(begin)
		put(t, db, func(tx *store.Tx) { store.EventRules.Put(tx, rule) })
		var r received
		send := func(_ context.Context, d *record.EventDelivery) ([]*record.EventDelivery, error) {
			r.add(d)
			return nil, nil
		}
		stop := runEvents(t, db, send)
		time.Sleep(150 * time.Second)
		stop()
		time.Sleep(5 * time.Minute)
		stop = runEvents(t, db, send)
		time.Sleep(time.Minute)
		stop()
		var want []string
		for _, minute := range []int{1, 2, 7, 8} {
			want = append(want, plan.ScheduledID(*rule.Rule.Arn, "t", begin.Add(time.Duration(minute)*time.Minute)))
		}
		if got := r.got(); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if n := count(store.EventDeliveries.All(db.View())); n != 0 {
			t.Errorf("%d deliveries are left", n)
		}
		db.Close()
	})
}

func count[T any](all func(func(T) bool)) (n int) {
	for range all {
		n++
	}
	return n
}

// What fails is tried again with pauses that grow, for as long as the target says; what is
// undeliverable is not.
func TestDeliveryRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openEvents(t, store.NewMemory())
		defer db.Close()
		target := func(id string) events.Target {
			return events.Target{Id: &id, Arn: new(eventScope.ARN("sqs", id)), RetryPolicy: &events.RetryPolicy{MaximumRetryAttempts: new(int32(3))}}
		}
		put(t, db, func(tx *store.Tx) {
			for _, id := range []string{"fails", "refused", "later", "old"} {
				d := &record.EventDelivery{Scope: eventScope, ID: id, Owner: "rule", Target: target(id), Made: time.Now()}
				if id == "old" {
					d.Target.RetryPolicy = &events.RetryPolicy{MaximumEventAgeInSeconds: new(int32(60))}
				}
				store.EventDeliveries.Put(tx, d)
			}
		})
		var r received
		begin := time.Now()
		stop := runEvents(t, db, func(_ context.Context, d *record.EventDelivery) ([]*record.EventDelivery, error) {
			r.add(d)
			switch {
			case d.ID == "refused":
				return nil, &UndeliverableError{"NO_RESOURCE", errors.New("gone")}
			case d.ID == "later" && d.Attempts == 2:
				return []*record.EventDelivery{{Scope: eventScope, ID: "follows", Owner: "rule", Target: target("follows"), Made: time.Now()}}, nil
			case d.ID == "follows":
				return nil, nil
			}
			return nil, errors.New("not now")
		})
		defer stop()
		for count(store.EventDeliveries.All(db.View())) > 0 {
			time.Sleep(time.Second)
			if time.Since(begin) > time.Hour {
				t.Fatal("deliveries are not given up")
			}
		}
		counts := map[string]int{}
		for _, id := range r.got() {
			counts[id]++
		}
		if counts["fails"] != 4 || counts["refused"] != 1 || counts["later"] != 3 || counts["follows"] != 1 || counts["old"] < 5 || counts["old"] > 8 {
			t.Errorf("attempts: %v", counts)
		}
	})
}

// A schedule fires at its times within its dates, in its window, and is deleted after the
// last if it says so.
func TestSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openEvents(t, store.NewMemory())
		defer db.Close()
		begin := time.Now()
		make := func(name, expression string, change func(*scheduler.GetScheduleOutput)) *record.Schedule {
			s := &record.Schedule{Scope: eventScope, Since: begin, Schedule: scheduler.GetScheduleOutput{
				Name: &name, GroupName: new("default"), Arn: new(eventScope.ARN("scheduler", "schedule/default/"+name)), ScheduleExpression: &expression,
				ScheduleExpressionTimezone: new("UTC"), State: scheduler.ScheduleStateEnabled, FlexibleTimeWindow: &scheduler.FlexibleTimeWindow{Mode: scheduler.FlexibleTimeWindowModeOff},
				Target: &scheduler.Target{Arn: new(eventScope.ARN("sqs", "q")), RoleArn: new("role"), Input: new("<aws.scheduler.scheduled-time>")},
			}}
			change(&s.Schedule)
			return s
		}
		once := make("once", "at("+begin.Add(time.Minute).UTC().Format("2006-01-02T15:04:05")+")", func(s *scheduler.GetScheduleOutput) {
			s.ActionAfterCompletion = scheduler.ActionAfterCompletionDelete
		})
		rate := make("rate", "rate(2 minutes)", func(s *scheduler.GetScheduleOutput) {
			s.StartDate, s.EndDate = new(begin.Add(time.Minute)), new(begin.Add(6*time.Minute))
		})
		off := make("off", "rate(1 minute)", func(s *scheduler.GetScheduleOutput) { s.State = scheduler.ScheduleStateDisabled })
		flexible := make("flexible", "rate(1 hour)", func(s *scheduler.GetScheduleOutput) {
			s.FlexibleTimeWindow = &scheduler.FlexibleTimeWindow{Mode: scheduler.FlexibleTimeWindowModeFlexible, MaximumWindowInMinutes: new(int32(10))}
		})
		put(t, db, func(tx *store.Tx) {
			for _, s := range []*record.Schedule{once, rate, off, flexible} {
				store.Schedules.Put(tx, s)
			}
		})
		var mu sync.Mutex
		fired := map[string][]time.Duration{}
		stop := runEvents(t, db, func(_ context.Context, d *record.EventDelivery) ([]*record.EventDelivery, error) {
			mu.Lock()
			defer mu.Unlock()
			a, _ := fargo.ParseARN(d.Owner)
			fired[a.Name()] = append(fired[a.Name()], time.Since(begin))
			if want := plan.EventTime(d.Scheduled); plan.DeliveryBody(d) != want {
				t.Errorf("%s is given %s, want %s", a.Name(), plan.DeliveryBody(d), want)
			}
			return nil, nil
		})
		time.Sleep(30 * time.Minute)
		stop()
		minutes := func(of ...int) (all []time.Duration) {
			for _, n := range of {
				all = append(all, time.Duration(n)*time.Minute)
			}
			return all
		}
		if !slices.Equal(fired["once"], minutes(1)) || !slices.Equal(fired["rate"], minutes(1, 3, 5)) || len(fired["off"]) > 0 {
			t.Errorf("fired: %v", fired)
		}
		if at := fired["flexible"]; len(at) != 1 || at[0] == 0 || at[0] >= 10*time.Minute {
			t.Errorf("the flexible schedule fired after %v", at)
		}
		var left []string
		for s := range store.Schedules.All(db.View()) {
			left = append(left, *s.Schedule.Name)
		}
		if !slices.Equal(left, []string{"flexible", "off", "rate"}) {
			t.Errorf("left are %v", left)
		}
	})
}
