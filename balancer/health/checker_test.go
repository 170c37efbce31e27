package health_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"fargo/aws/elbv2"
	"fargo/balancer/health"
	"fargo/balancer/health/healthtest"
	"fargo/desired"
)

// startingTarget is a network in which a target refuses connections until it listens,
// and from when it stops. It tells when it was asked.
type startingTarget struct {
	began         time.Time
	listens, ends time.Duration // since then
	asked         []time.Duration
}

func (o *startingTarget) Dial(context.Context, string, string, string) (net.Conn, error) {
	now := time.Since(o.began)
	o.asked = append(o.asked, now)
	if now < o.listens || now >= o.ends {
		return nil, syscall.ECONNREFUSED
	}
	a, b := net.Pipe()
	b.Close()
	return a, nil
}

// TestNewTargetIsCheckedEarly holds when a target is checked whose interval is
// 10 s and whose thresholds are 2, and in which state each check leaves it.
func TestNewTargetIsCheckedEarly(t *testing.T) {
	const ms, never = time.Millisecond, time.Hour
	for _, test := range []struct {
		name          string
		listens, ends time.Duration
		known         string        // what a checker before this one found
		over          time.Duration // when the test ends
		asked         []time.Duration
		states        map[time.Duration]string // from when on
	}{
		{
			name: "it listens at once", ends: never, over: 25000 * ms,
			asked:  []time.Duration{0, 10000 * ms, 20000 * ms},
			states: map[time.Duration]string{0: "healthy"},
		},
		{
			name: "it listens a moment later", listens: 250 * ms, ends: never, over: 25000 * ms,
			asked:  []time.Duration{0, 100 * ms, 300 * ms, 10000 * ms, 20000 * ms},
			states: map[time.Duration]string{0: "initial", 300 * ms: "healthy"},
		},
		{
			name: "it never listens", listens: never, ends: never, over: 25000 * ms,
			asked:  []time.Duration{0, 100 * ms, 300 * ms, 700 * ms, 1500 * ms, 3100 * ms, 6300 * ms, 10000 * ms, 20000 * ms},
			states: map[time.Duration]string{0: "initial", 10000 * ms: "unhealthy"},
		},
		{
			name: "it stops after it was healthy", listens: 50 * ms, ends: 5000 * ms, over: 25000 * ms,
			asked:  []time.Duration{0, 100 * ms, 10000 * ms, 20000 * ms},
			states: map[time.Duration]string{0: "initial", 100 * ms: "healthy", 20000 * ms: "unhealthy"},
		},
		{
			name: "it is known to be unhealthy", listens: 250 * ms, ends: never, known: "unhealthy", over: 25000 * ms,
			asked:  []time.Duration{0, 10000 * ms, 20000 * ms},
			states: map[time.Duration]string{20000 * ms: "healthy"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := &startingTarget{began: time.Now(), listens: test.listens, ends: test.ends}
				c := health.NewChecker(health.Config{Network: network, Logger: slog.New(slog.DiscardHandler), Pace: 1})
				g := group("TCP")
				state := func() string {
					known, _ := c.Health()
					if len(known) != 1 {
						t.Fatalf("known: %+v", known)
					}
					return known[0].State
				}
				want := test.known
				if test.known != "" {
					d := g.Targets[0]
					c.Remember([]health.Status{{
						TargetReport: desired.TargetReport{Group: g.ARN, ID: d.ID, Port: d.Port, RegisteredAt: d.RegisteredAt, State: test.known},
						Address:      d.Address,
					}})
				}
				if err := c.Set([]desired.Balancer{sendingTo(g.ARN)}, []desired.BalancerGroup{g}); err != nil {
					t.Fatal(err)
				}
				for at := time.Duration(0); at <= test.over; at += 50 * ms {
					synctest.Wait()
					if next := test.states[at]; next != "" {
						want = next
					}
					if got := state(); got != want {
						t.Fatalf("%s after %s, want %s", got, at, want)
					}
					time.Sleep(50 * ms)
				}
				c.Close()
				if !slices.Equal(network.asked, test.asked) {
					t.Errorf("checked after %s, want %s", network.asked, test.asked)
				}
			})
		})
	}
}

// group is a target group whose one target is checked by a protocol every 10
// seconds, and changes its state after two checks.
func group(protocol elbv2.ProtocolEnum) desired.BalancerGroup {
	address := netip.MustParseAddrPort("192.0.2.7:80")
	return desired.BalancerGroup{
		ARN: "arn:g", Name: "targetgroup/g",
		Group: elbv2.TargetGroup{
			Protocol: protocol, HealthCheckProtocol: protocol, HealthCheckPath: new("/health"),
			HealthCheckIntervalSeconds: new(int32(10)), HealthCheckTimeoutSeconds: new(int32(5)),
			HealthyThresholdCount: new(int32(2)), UnhealthyThresholdCount: new(int32(2)),
		},
		Targets: []desired.BalancerTarget{{ID: "192.0.2.7", Port: 80, Address: address, RegisteredAt: time.Unix(1000, 0)}},
	}
}

// sendingTo is a load balancer whose only rule sends to a target group.
func sendingTo(group string) desired.Balancer {
	return desired.Balancer{
		ARN: "arn:alb", Name: "app/test/1", Interfaces: []desired.Interface{{ID: "eni-1"}},
		Listeners: []desired.BalancerListener{{ARN: "arn:listener", Protocol: "HTTP", Port: 80, Rules: []desired.BalancerRule{{
			ARN: "arn:rule", Priority: "default", Actions: []elbv2.Action{{Type: elbv2.ActionTypeEnumForward, TargetGroupArn: &group}},
		}}}},
	}
}

// TestHTTPInMemory follows a target that answers HTTP in a bubble: through the
// state that each answer leaves it in, and when that is known.
func TestHTTPInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := &healthtest.Network{}
		answers := func(status int, after time.Duration) {
			network.Listen("192.0.2.7:80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/health" || r.UserAgent() != "ELB-HealthChecker/2.0" {
					t.Errorf("checked with %s by %q", r.URL, r.UserAgent())
				}
				select {
				case <-time.After(after):
					w.WriteHeader(status)
				case <-r.Context().Done():
				}
			}))
		}
		c := health.NewChecker(health.Config{Network: network, Logger: slog.New(slog.DiscardHandler), Pace: 1})
		defer c.Close()
		g := group("HTTP")
		if err := c.Set([]desired.Balancer{sendingTo(g.ARN)}, []desired.BalancerGroup{g}); err != nil {
			t.Fatal(err)
		}
		is := func(state, reason, description string) {
			t.Helper()
			synctest.Wait()
			known, _ := c.Health()
			if len(known) != 1 || known[0].State != state || known[0].Reason != reason || known[0].Description != description {
				t.Fatalf("%+v, want %s %s %q", known, state, reason, description)
			}
		}
		is("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
		answers(200, 4*time.Second)
		time.Sleep(9 * time.Second) // early checks count when they pass
		is("healthy", "", "")
		answers(503, 0)
		time.Sleep(19 * time.Second)
		is("unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]")
		answers(200, 6*time.Second) // longer than a check may take
		time.Sleep(10 * time.Second)
		is("unhealthy", "Target.Timeout", "Request timed out")
		network.Listen("192.0.2.7:80", nil)
		time.Sleep(10 * time.Second)
		is("unhealthy", "Target.FailedHealthChecks", "Health checks failed")
		answers(200, 0)
		time.Sleep(20 * time.Second)
		is("healthy", "", "")
	})
}
