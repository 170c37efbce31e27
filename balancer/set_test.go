package balancer_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fargo/desired"
)

// TestSetDropsNothing changes targets, weights, groups and rules all the time
// while requests come in on kept and new connections, some with bodies, and
// demands that none fails.
func TestSetDropsNothing(t *testing.T) {
	const requests, workers = 4000, 8
	h := newSystem(t)
	var addresses []string
	for i := range 6 {
		addresses = append(addresses, backend(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%d %d", i, len(body))
		}))
	}
	random := rand.New(rand.NewPCG(1, 2))
	draining := map[string][]desired.BalancerTarget{} // by group: their time is never over
	some := func(arn string, n int, addresses []string) desired.BalancerGroup {
		g := group(arn, pick(random, addresses)...)
		for i := range g.Targets {
			g.Targets[i].RegisteredAt = time.Unix(int64(1000+n/10), 0)
		}
		g.Targets = slices.DeleteFunc(g.Targets, func(t desired.BalancerTarget) bool {
			return slices.ContainsFunc(draining[arn], func(d desired.BalancerTarget) bool {
				return d.Address == t.Address && d.RegisteredAt.Equal(t.RegisteredAt)
			})
		})
		if last := len(g.Targets) - 1; last > 0 && random.IntN(40) == 0 {
			leaving := g.Targets[last]
			leaving.Draining = true
			draining[arn] = append(draining[arn], leaving)
			g.Targets = g.Targets[:last]
		}
		if len(g.Targets) == 0 { // a group that gets requests has somebody to serve them
			g = group(arn, addresses[0])
			g.Targets[0].RegisteredAt = time.Unix(int64(1000000+n), 0)
		}
		g.Targets = append(g.Targets, draining[arn]...)
		return g
	}
	configuration := func(n int) ([]desired.Balancer, []desired.BalancerGroup) {
		groups := []desired.BalancerGroup{some("arn:blue", n, addresses[:3]), some("arn:green", n, addresses[3:])}
		rule := forwardTo("arn:blue", "arn:green")
		tuples := rule.Actions[0].ForwardConfig.TargetGroups
		tuples[0].Weight, tuples[1].Weight = new(int32(random.IntN(100))), new(int32(1+random.IntN(100)))
		if len(draining["arn:blue"]) == 0 && random.IntN(4) == 0 { // blue is gone with the rule that named it
			rule, groups = forwardTo("arn:green"), groups[1:]
		}
		return []desired.Balancer{alb(rule)}, groups
	}
	b, g := configuration(0)
	h.set(b, g)
	h.healthy(countServing(g))

	served := make(chan struct{}, requests)
	configurations := make(chan int)
	go func() { // a configuration for every few requests
		n := 0
		for range served {
			if n++; n%4 == 0 {
				b, g := configuration(n)
				if err := h.trySet(b, g); err != nil {
					t.Error(err)
				}
			}
		}
		configurations <- n / 4
	}()
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for i := range requests / workers {
				size := i % 3 * 1000
				r, err := client.Post("http://"+h.addr(80)+"/", "text/plain", strings.NewReader(strings.Repeat("x", size)))
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(r.Body)
				r.Body.Close()
				if err != nil || r.StatusCode != 200 || !strings.HasSuffix(string(body), fmt.Sprint(" ", size)) {
					t.Errorf("%s %q %v", r.Status, body, err)
					return
				}
				served <- struct{}{}
				if i%50 == 0 {
					client.CloseIdleConnections()
				}
			}
		})
	}
	all.Wait()
	close(served)
	t.Logf("%d configurations", <-configurations)
}

// pick is some of the addresses, at least one, in some order.
func pick(random *rand.Rand, addresses []string) []string {
	var some []string
	for _, i := range random.Perm(len(addresses))[:1+random.IntN(len(addresses))] {
		some = append(some, addresses[i])
	}
	return some
}

// countServing is how many targets do not drain.
func countServing(groups []desired.BalancerGroup) (n int) {
	for _, g := range groups {
		for _, t := range g.Targets {
			if !t.Draining {
				n++
			}
		}
	}
	return n
}
