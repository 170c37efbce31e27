// Command bench measures what docs/benchmarks.md reports: the real fargo binary
// on a data directory of its own, as root, seen from outside, beside the peers
// that this machine has. It prints Markdown.
//
// It knows Fargo by its command line, the wire, and what /proc says of its
// processes; it refuses to know how any of it is done. All traffic stays on
// loopback. Every loop is bounded, by a count and by the time of [patience], and
// whatever happens fargo down --purge has the last word.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// patience is how long everything together may take.
const patience = 8 * time.Minute

func main() {
	binary := flag.String("fargo", "bin/fargo", "the `binary` to measure")
	image := flag.String("image", "bin/example-image.tar", "the example image, an OCI `archive`")
	simulation := flag.String("simulation", "build/sim.test", "the test `binary` of package sim")
	only := flag.String("only", "", "take only measurements whose name contains this `text`")
	balancer := flag.Bool("balancer", false, "measure only the load balancer, which needs no root")
	flag.Parse()
	var err error
	switch {
	case flag.Arg(0) == balancerChild:
		err = serveBalancer(flag.Arg(1))
	case *balancer:
		err = runBalancer(os.Stdout)
	default:
		err = run(*binary, *image, *simulation, *only)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(binary, image, simulation, only string) (err error) {
	if os.Geteuid() != 0 {
		return errors.New("fargo makes namespaces, mounts and control groups: run me as root")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not done within %s", patience))
	defer cancel()
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = fmt.Errorf("%w (%w)", context.Cause(ctx), err)
		}
	}()
	if binary, err = filepath.Abs(binary); err != nil {
		return err
	}
	in, err := newInstallation(binary)
	if err != nil {
		return err
	}
	defer func() {
		// ctx may be what ended us.
		err = errors.Join(err, in.remove(context.WithoutCancel(ctx)))
	}()
	r, err := newReport()
	if err != nil {
		return err
	}
	if only == "" {
		progress("load balancer")
		if err := measureBalancer(ctx, r); err != nil {
			return fmt.Errorf("load balancer: %w", err)
		}
	}
	if err := measure(ctx, in, image, simulation, only, r); err != nil {
		return err
	}
	return r.print(os.Stdout)
}

// measure takes all measurements, in an order that lets each find what it needs
// and disturbs none.
func measure(ctx context.Context, in *installation, image, simulation, only string, r *report) error {
	if _, err := in.up(ctx); err != nil {
		return err
	}
	s, err := openStage(ctx, in, image)
	if err != nil {
		return err
	}
	peers, closePeers, err := findPeers(ctx, in, image, r)
	if err != nil {
		return err
	}
	steps := []struct {
		name string
		do   func(context.Context) error
	}{
		{"one task after the other", func(ctx context.Context) error { return measureSingle(ctx, s, peers, r) }},
		{"many tasks at once", func(ctx context.Context) error { return measureBurst(ctx, s, peers, r) }},
		{"a service that grows", func(ctx context.Context) error { return measureService(ctx, s, r) }},
		{"a rolling deployment", func(ctx context.Context) error { return measureRollout(ctx, s, r) }},
		{"services at rest", func(ctx context.Context) error { return measureIdle(ctx, s, r) }},
		{"reading", func(ctx context.Context) error { return measureReads(ctx, s, r) }},
		{"a simulated cluster", func(ctx context.Context) error { return measureSimulation(ctx, simulation, r) }},
		{"starting", func(ctx context.Context) error { return measureStarts(ctx, s, r) }},
	}
	for _, step := range steps {
		if !strings.Contains(step.name, only) {
			continue
		}
		progress("%s", step.name)
		if err = step.do(ctx); err != nil {
			err = fmt.Errorf("%s: %w", step.name, err)
			break
		}
	}
	return errors.Join(err, closePeers(context.WithoutCancel(ctx)))
}

// progress tells whoever waits what is being done.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}

// poll looks again and again, after rests of the length given, until look says
// that it has seen enough.
func poll(ctx context.Context, rest time.Duration, look func() (done bool, err error)) error {
	ticker := time.NewTicker(rest)
	defer ticker.Stop()
	for {
		if done, err := look(); done || err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
