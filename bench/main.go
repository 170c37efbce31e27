// Command bench measures what docs/benchmarks.md reports: the real fargo binary
// on a data directory of its own, as root, seen from outside, beside the peers
// that this machine has. It prints Markdown.
//
// It knows Fargo by its command line, the wire, and what /proc says of its
// processes; it refuses to know how any of it is done. All traffic stays on
// loopback and on the interfaces of its own tasks.
//
// Each measurement has a time limit of its own (suite.go). On a busy machine one
// that repeats takes fewer samples, and one that does not end in time is named in
// the report, which has all the others. Whatever happens, fargo down --purge is
// called last.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	binary := flag.String("fargo", "bin/fargo", "the `binary` to measure")
	image := flag.String("image", "bin/example-image.tar", "the example image, an OCI `archive`")
	tests := flag.String("tests", "build", "the `folder` with the test binaries of packages")
	only := flag.String("only", "", "take only measurements whose name contains this `text`")
	balancer := flag.Bool("balancer", false, "measure only the load balancer, which needs no root")
	flag.Parse()
	var err error
	switch {
	case flag.Arg(0) == balancerProcessArg:
		err = serveBalancer(flag.Arg(1))
	case flag.Arg(0) == httpProcessArg:
		err = serveHTTP(flag.Arg(1))
	case *balancer:
		err = runSuites(os.Stdout, balancerSuite(*only))
	default:
		err = runAll(*binary, *image, *tests, *only)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func runAll(binary, image, tests, only string) error {
	if os.Geteuid() != 0 {
		return errors.New("fargo makes namespaces, mounts and control groups: run me as root")
	}
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	return runSuites(os.Stdout, balancerSuite(only), installationSuite(binary, image, only), packageSuite(tests, only))
}

// runSuites takes the measurements of all suites and reports them to w. The error
// is of what failed, the report has the rest; a measurement that did not end in
// time is no error.
func runSuites(w io.Writer, suites ...runnable) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	r, err := newReport()
	if err != nil {
		return err
	}
	var limit time.Duration
	for _, s := range suites {
		limit += s.limit()
	}
	progress("ends within %s, whatever the machine does meanwhile", limit)
	for _, s := range suites {
		err = errors.Join(err, s.run(ctx, r))
	}
	return errors.Join(err, r.print(w))
}

// installationSuite measures a whole Fargo, in an order that lets each measurement
// find what it needs and disturbs none.
func installationSuite(binary, image, only string) *suite[*fixture] {
	return &suite[*fixture]{
		name:      "installation",
		open:      func(ctx context.Context, r *report) (*fixture, error) { return openFixture(ctx, binary, image, r) },
		close:     func(ctx context.Context, f *fixture) error { return f.close(ctx) },
		openLimit: time.Minute, closeLimit: 2 * time.Minute,
		measurements: matching(only, []measurement[*fixture]{
			{"one task after the other", 2 * time.Minute, measureSingle},
			{"tasks with secrets", 2 * time.Minute, measureSecrets},
			{"many tasks at once", 2 * time.Minute, measureBurst},
			{"a service that grows", time.Minute, measureService},
			{"a rolling deployment", 2 * time.Minute, measureRollout},
			{"idle services", 5 * time.Minute, measureIdle},
			{"reads", time.Minute, measureReads},
			{"reads of secrets", time.Minute, measureSecretReads},
			{"objects", time.Minute, measureObjects},
			{"commands in a container", 3 * time.Minute, measureExec},
			{"starts of everything", 2 * time.Minute, measureColdStarts},
			{"memory", time.Minute, measureMemory},
			{"starts of the control plane", time.Minute, measureWarmStarts},
			{"a day of metrics", 2 * time.Minute, measureMetricData},
		}),
	}
}

// matching are the measurements whose name contains the text.
func matching[E any](text string, all []measurement[E]) (some []measurement[E]) {
	for _, m := range all {
		if strings.Contains(m.name, text) {
			some = append(some, m)
		}
	}
	return some
}

// progress tells whoever waits what is being done.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}
