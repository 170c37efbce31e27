//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// The load has a constant rate, and ends by itself if nothing else ends it. Two cores
// can serve it, and the other clients of a test.
var loadRate = vegeta.Rate{Freq: 2000, Per: time.Second}

const loadTime = 8 * time.Minute

// load requests the service's page until it is stopped.
type load struct {
	t        *testing.T
	attacker *vegeta.Attacker
	answered atomic.Int64
	metrics  vegeta.Metrics
	failed   map[string]int // by what went wrong
	done     chan struct{}
}

// startLoad sends requests to every address of the load balancer called name, at
// a rate.
func startLoad(t *testing.T, in *installation, name string, rate vegeta.Rate) *load {
	t.Helper()
	addresses, err := net.LookupHost(name)
	if err != nil {
		t.Fatal(err)
	}
	var targets []vegeta.Target
	for _, address := range addresses {
		route, err := exec.Command("ip", "route", "get", address).Output()
		if err != nil || !strings.Contains(string(route), "dev fg"+in.id) {
			t.Fatalf("%s does not lead to %s: %s, %v", address, in.id, route, err)
		}
		targets = append(targets, vegeta.Target{Method: "GET", URL: "http://" + address + "/", Header: http.Header{"Host": {name}}})
	}
	l := &load{
		t: t, attacker: vegeta.NewAttacker(vegeta.Timeout(10*time.Second), vegeta.MaxWorkers(100)),
		failed: map[string]int{}, done: make(chan struct{}),
	}
	results := l.attacker.Attack(vegeta.NewStaticTargeter(targets...), rate, loadTime, t.Name())
	go func() {
		defer close(l.done)
		for r := range results {
			l.metrics.Add(r)
			if r.Code != http.StatusOK {
				l.failed[fmt.Sprintf("%d %s", r.Code, r.Error)]++
			}
			l.answered.Add(1)
		}
	}()
	t.Cleanup(func() { l.attacker.Stop(); <-l.done })
	return l
}

// stop ends the load after at least so many requests, and returns how many failed, by
// error.
func (l *load) stop(least int64) (failed map[string]int) {
	l.t.Helper()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for l.answered.Load() < least {
		select {
		case <-ticker.C:
		case <-l.done:
			l.t.Fatalf("the load ended after %v, with %d requests of %d", loadTime, l.answered.Load(), least)
		}
	}
	select {
	case <-l.done:
		l.t.Errorf("the load ended after %v, before the changes did", loadTime)
	default:
	}
	l.attacker.Stop()
	<-l.done
	l.metrics.Close()
	l.t.Logf("%d requests in %v, 99%% within %v", l.metrics.Requests, l.metrics.Duration.Round(time.Second), l.metrics.Latencies.P99)
	return l.failed
}
