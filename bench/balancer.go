package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// A proxy is a load balancer in a process of its own, between the same client
// and the same targets as the others.
type proxy struct {
	name string
	pids []int
	// addresses are where it listens, by scheme: "http" and "https".
	addresses map[string]string
	close     func() error
}

// computed is the processor time it has used so far.
func (p *proxy) computed() (sum time.Duration, err error) {
	for _, pid := range p.pids {
		d, err := processorClock(pid)
		if err != nil {
			return 0, err
		}
		sum += d
	}
	return sum, nil
}

// A demand is one way to ask, for a while.
type demand struct {
	name    string
	scheme  string
	path    string
	http2   bool
	conns   int
	streams int // at once on each connection
	rounds  int
	budget  bool // this is the one that has a budget
}

var demands = []demand{
	{name: "HTTP/1.1, small answers", scheme: "http", path: "/small", conns: 64, streams: 1, rounds: 31, budget: true},
	{name: "HTTP/1.1 over TLS, small answers", scheme: "https", path: "/small", conns: 64, streams: 1, rounds: 5},
	{name: "HTTP/2 over TLS, small answers", scheme: "https", path: "/small", http2: true, conns: 8, streams: 8, rounds: 5},
	{name: "HTTP/1.1, answers of 1 MiB", scheme: "http", path: "/large", conns: 64, streams: 1, rounds: 5},
}

// roundFor is how long a proxy is under load at a time. Rounds are short and
// their order random so that what else the machine does meets all alike.
const roundFor = time.Second

// measureBalancer puts the data plane of application load balancers and nginx
// between the same client and the same targets, all on loopback, one after the
// other in every round.
func measureBalancer(ctx context.Context, r *report) (err error) {
	dir, err := os.MkdirTemp("", "fargo-bench-balancer-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if _, err := exec.LookPath("h2load"); err != nil {
		r.absent("nginx, for want of h2load")
		return nil
	}
	set, err := openBalancerSet(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, set.close()) }()
	var proxies []*proxy
	defer func() {
		for _, p := range proxies {
			err = errors.Join(err, p.close())
		}
	}()
	ours, err := startBalancer(ctx, set)
	if err != nil {
		return err
	}
	proxies = append(proxies, ours)
	theirs, err := startNginx(ctx, set)
	switch {
	case errors.Is(err, errNoNginx):
		r.absent("nginx")
	case err != nil:
		return err
	default:
		proxies = append(proxies, theirs)
	}
	for _, l := range demands {
		results, err := l.run(ctx, proxies, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		r.balanced(l, proxies, results)
	}
	return nil
}

// run puts the proxies under load in turn. It gives the outcomes of each proxy, one for each round.
func (l demand) run(ctx context.Context, proxies []*proxy, dir string) ([][]outcome, error) {
	results := make([][]outcome, len(proxies))
	for _, p := range proxies { // what is opened on first use is open afterwards
		if _, err := l.once(ctx, p, roundFor, dir); err != nil {
			return nil, err
		}
	}
	for range l.rounds {
		for _, i := range rand.Perm(len(proxies)) {
			o, err := l.once(ctx, proxies[i], roundFor, dir)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", proxies[i].name, err)
			}
			results[i] = append(results[i], o)
		}
	}
	return results, nil
}

// outcome is what one proxy did in one round.
type outcome struct {
	rate     float64       // requests per second
	p50, p99 time.Duration // of the time to the whole answer
	cost     time.Duration // the proxy's processor time per request
}

func (l demand) once(ctx context.Context, p *proxy, d time.Duration, dir string) (outcome, error) {
	before, err := p.computed()
	if err != nil {
		return outcome{}, err
	}
	times, err := l.ask(ctx, p.addresses[l.scheme], d, dir)
	if err != nil {
		return outcome{}, err
	}
	after, err := p.computed()
	if err != nil {
		return outcome{}, err
	}
	s := series{samples: times}
	return outcome{
		rate: float64(len(times)) / d.Seconds(),
		p50:  s.percentile(50), p99: s.percentile(99),
		cost: (after - before) / time.Duration(len(times)),
	}, nil
}

// median is that of one number of several outcomes.
func median[T int64 | float64 | time.Duration](outcomes []outcome, of func(outcome) T) T {
	var all []T
	for _, o := range outcomes {
		all = append(all, of(o))
	}
	return middle(all)
}

// middle is the one of several numbers that half of the others are not above.
func middle[T cmp.Ordered](all []T) T {
	slices.Sort(all)
	return all[len(all)/2]
}

// runBalancer measures nothing else and reports it.
func runBalancer(w io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	r, err := newReport()
	if err != nil {
		return err
	}
	if err := measureBalancer(ctx, r); err != nil {
		return err
	}
	return r.print(w)
}
