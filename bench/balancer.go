package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"time"
)

// A proxy is a load balancer in a process of its own, between the same client
// and the same targets as the others.
type proxy struct {
	name string
	pids []int
	// addresses are where it listens, by scheme: "http" and "https".
	addresses map[string]string
	close     func(context.Context) error
}

// cpuTime is the processor time it has used so far.
func (p *proxy) cpuTime() (sum time.Duration, err error) {
	for _, pid := range p.pids {
		d, err := cpuClock(pid)
		if err != nil {
			return 0, err
		}
		sum += d
	}
	return sum, nil
}

// A workload is one way to send requests.
type workload struct {
	name    string
	scheme  string
	path    string
	http2   bool
	conns   int
	streams int // at once on each connection
	rounds  int
	budget  bool // this is the one that has a budget
}

var workloads = []workload{
	{name: "HTTP/1.1, small answers", scheme: "http", path: "/small", conns: 64, streams: 1, rounds: 31, budget: true},
	{name: "HTTP/1.1 over TLS, small answers", scheme: "https", path: "/small", conns: 64, streams: 1, rounds: 5},
	{name: "HTTP/2 over TLS, small answers", scheme: "https", path: "/small", http2: true, conns: 8, streams: 8, rounds: 5},
	{name: "HTTP/1.1, answers of 1 MiB", scheme: "http", path: "/large", conns: 64, streams: 1, rounds: 5},
}

const (
	// roundTime is how long a proxy is under load at a time. Rounds are short and
	// their order random so that what else the machine does meets all alike.
	roundTime = time.Second
	// roundLimit is what a round of a proxy may take on a busy machine, with the
	// start of the client and the reading of what it says.
	roundLimit = 3 * time.Second
	// roundsLeast are those without which there is no result.
	roundsLeast = 3
)

// balancerBench are the proxies under test, ours first, and what they share.
type balancerBench struct {
	dir     string
	backend *backend
	proxies []*proxy
}

// balancerSuite puts the data plane of application load balancers and nginx
// between the same client and the same targets, all on loopback, one after the
// other in every round.
func balancerSuite(only string) *suite[*balancerBench] {
	var all []measurement[*balancerBench]
	for _, w := range workloads {
		all = append(all, measurement[*balancerBench]{
			name:  "load balancer, " + w.name,
			limit: time.Duration(w.rounds+5) * 2 * roundLimit,
			do: func(ctx context.Context, b *balancerBench, r *report) error {
				results, err := w.measure(ctx, b.proxies, func(ctx context.Context, p *proxy) (round, error) {
					return w.once(ctx, p, roundTime, b.dir)
				})
				if err == nil {
					r.proxied(w, b.proxies, results)
				}
				return err
			},
		})
	}
	return &suite[*balancerBench]{
		name: "load balancer", open: openBalancerBench,
		close:     func(ctx context.Context, b *balancerBench) error { return b.close(ctx) },
		openLimit: 30 * time.Second, closeLimit: time.Minute,
		measurements: matching(only, all),
	}
}

// openBalancerBench starts the proxies that this machine has. With an error nothing
// is left of them.
func openBalancerBench(ctx context.Context, r *report) (_ *balancerBench, err error) {
	if _, err := exec.LookPath("h2load"); err != nil {
		return nil, fmt.Errorf("the client h2load is not installed: %w", err)
	}
	dir, err := os.MkdirTemp("", "fargo-bench-balancer-")
	if err != nil {
		return nil, err
	}
	b := &balancerBench{dir: dir}
	defer func() {
		if err != nil {
			ctx, cancel := cleanup(ctx)
			defer cancel()
			err = errors.Join(err, b.close(ctx))
		}
	}()
	if b.backend, err = openBackend(dir); err != nil {
		return nil, err
	}
	for _, start := range []func(context.Context, *backend) (*proxy, error){startBalancer, startNginx} {
		p, err := start(ctx, b.backend)
		if errors.Is(err, errNoNginx) {
			r.missing("nginx")
			continue
		}
		if err != nil {
			return nil, err
		}
		b.proxies = append(b.proxies, p)
	}
	return b, nil
}

func (b *balancerBench) close(ctx context.Context) error {
	var errs []error
	for _, p := range b.proxies {
		errs = append(errs, p.close(ctx))
	}
	if b.backend != nil {
		errs = append(errs, b.backend.close())
	}
	return errors.Join(append(errs, os.RemoveAll(b.dir))...)
}

// measure puts the proxies under load in turn. It gives the rounds of each proxy,
// as many of one as of the other.
func (w workload) measure(ctx context.Context, proxies []*proxy, once func(context.Context, *proxy) (round, error)) ([][]round, error) {
	for _, p := range proxies { // what is opened on first use is open afterwards
		if _, err := once(ctx, p); err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
	}
	results := make([][]round, len(proxies))
	err := repeat(ctx, min(roundsLeast, w.rounds), w.rounds, func(int) error {
		for _, i := range rand.Perm(len(proxies)) {
			o, err := once(ctx, proxies[i])
			if err != nil {
				return fmt.Errorf("%s: %w", proxies[i].name, err)
			}
			results[i] = append(results[i], o)
		}
		return nil
	})
	return results, err
}

// round is what one proxy did in one round.
type round struct {
	rate     float64       // requests per second
	p50, p99 time.Duration // of the time to the whole answer
	cost     time.Duration // the proxy's processor time per request
}

func (w workload) once(ctx context.Context, p *proxy, d time.Duration, dir string) (round, error) {
	before, err := p.cpuTime()
	if err != nil {
		return round{}, err
	}
	times, err := w.send(ctx, p.addresses[w.scheme], d, dir)
	if err != nil {
		return round{}, err
	}
	after, err := p.cpuTime()
	if err != nil {
		return round{}, err
	}
	s := series{samples: times}
	return round{
		rate: float64(len(times)) / d.Seconds(),
		p50:  s.percentile(50), p99: s.percentile(99),
		cost: (after - before) / time.Duration(len(times)),
	}, nil
}
