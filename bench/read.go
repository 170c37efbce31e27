package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"fargo/aws/sigv4"
)

const (
	readConnections = 16
	readRounds      = 7
	readWarmup      = 500 * time.Millisecond
	readFor         = time.Second
)

// measureReads calls DescribeTasks for one running task, with the control plane on
// one core and us on the others.
func measureReads(ctx context.Context, f *fixture, r *report) error {
	arns, err := f.runTasks(ctx, plainTask, 1)
	if err != nil {
		return err
	}
	tasks, err := f.await(ctx, pollInterval, arns, "RUNNING")
	if err == nil {
		err = f.awaitListening(ctx, tasks)
	}
	if err != nil {
		return err
	}
	if err := f.measureRate(ctx, read{"DescribeTasks of one task", "ecs", ecsTarget + "DescribeTasks", describeInput(arns)}, describeRate, r); err != nil {
		return err
	}
	return f.stop(ctx, arns)
}

// measureSecretReads reads a secret's value, likewise.
func measureSecretReads(ctx context.Context, f *fixture, r *report) error {
	if err := f.makeSecrets(ctx); err != nil {
		return err
	}
	in := map[string]any{"SecretId": secretName(1)}
	return f.measureRate(ctx, read{"GetSecretValue", "secretsmanager", "secretsmanager.GetSecretValue", in}, secretRate, r)
}

// read is a request that is sent again and again.
type read struct {
	what            string
	service, target string
	in              any
}

// measureRate sends a request while the control plane has one core and we the others, and,
// in turns, to a server that answers as much and does nothing else. The medians count.
func (f *fixture) measureRate(ctx context.Context, what read, budget bound, r *report) (err error) {
	pid, err := f.in.lockHolder("up.lock")
	if err != nil {
		return err
	}
	address := strings.TrimPrefix(f.url, "http://")
	first, err := f.rateOf(ctx, address, pid, what) // which tells how long the answer is
	if err != nil {
		return err
	}
	peer, err := startHTTPPeer(int(first.size))
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := cleanup(ctx)
		defer cancel()
		err = errors.Join(err, peer.close(ctx))
	}()
	var ours, theirs []readRate
	for range readRounds {
		one, err := f.rateOf(ctx, address, pid, what)
		if err != nil {
			return err
		}
		other, err := f.rateOf(ctx, peer.address, peer.cmd.Process.Pid, what)
		if err != nil {
			return err
		}
		ours, theirs = append(ours, one), append(theirs, other)
	}
	rate := medianOf(ours, readRate.rate)
	r.budget(what.what+", signed, control plane on one core",
		fmt.Sprintf("%.0f/s (%d connections, core %.0f %% busy)", rate, readConnections, medianOf(ours, readRate.share)*100), check{budget, rate})
	r.Ratios = append(r.Ratios, ratio{
		what.what + ", signed", "net/http, an answer of that size and nothing else",
		fmt.Sprintf("%.2f", medianRatio(theirs, ours, readRate.rate)),
	})
	return nil
}

// readRate is how fast a server answers.
type readRate struct {
	perSecond float64
	busy      float64 // the share of the time in which it used a core
	size      int64   // of an answer's body, in bytes
}

func (r readRate) rate() float64  { return r.perSecond }
func (r readRate) share() float64 { return r.busy }

// rateOf has the server at an address, which is a process, answer on one core.
func (f *fixture) rateOf(ctx context.Context, address string, pid int, what read) (readRate, error) {
	release, err := separateCores(pid)
	if err != nil {
		return readRate{}, err
	}
	rate, err := f.readFor(ctx, address, pid, what)
	return rate, errors.Join(err, release())
}

func (f *fixture) readFor(ctx context.Context, address string, pid int, what read) (rate readRate, err error) {
	ctx, cancel := context.WithTimeout(ctx, readWarmup+readFor)
	defer cancel()
	var answers, size atomic.Int64
	g, loading := errgroup.WithContext(ctx)
	for range readConnections {
		g.Go(func() error { return f.readLoop(loading, address, what, &answers, &size) })
	}
	g.Go(func() error {
		if err := pause(loading, readWarmup); err != nil {
			return err
		}
		before, used, begun := answers.Load(), cpuTime(pid), time.Now()
		if err := pause(loading, readFor-100*time.Millisecond); err != nil {
			return err
		}
		took := time.Since(begun).Seconds()
		rate.perSecond = float64(answers.Load()-before) / took
		rate.busy = (cpuTime(pid) - used).Seconds() / took
		cancel()
		return nil
	})
	err = g.Wait()
	rate.size = size.Load()
	return rate, err
}

// readLoop sends requests over one connection until ctx ends. It writes the bytes
// itself: an http.Client would use more processor time than the server.
func (f *fixture) readLoop(ctx context.Context, address string, what read, answers, size *atomic.Int64) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	reader := bufio.NewReader(conn)
	var request []byte
	for signed := (time.Time{}); ; answers.Add(1) {
		if time.Since(signed) > time.Second {
			signed = time.Now()
			if request, err = f.signed(ctx, what, signed); err != nil {
				return err
			}
		}
		var n int64
		if _, err = conn.Write(request); err == nil {
			n, err = readAnswer(reader)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		size.Store(n)
	}
}

// signed is a request as it goes over the connection.
func (f *fixture) signed(ctx context.Context, what read, now time.Time) ([]byte, error) {
	r, body, err := f.jsonRequest(ctx, what.service, what.target, what.in)
	if err != nil {
		return nil, err
	}
	sigv4.Sign(r, body, f.key, f.region, what.service, now)
	var b bytes.Buffer
	err = r.Write(&b)
	return b.Bytes(), err
}

// readAnswer reads one answer and checks that it is a good one; n is its body's size.
func readAnswer(r *bufio.Reader) (n int64, err error) {
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	n, err = io.Copy(io.Discard, answer.Body)
	if err == nil && (answer.StatusCode != http.StatusOK || n == 0) {
		err = fmt.Errorf("answered %s, %d bytes", answer.Status, n)
	}
	return n, err
}

// separateCores gives the process one core and us the rest, until released.
func separateCores(pid int) (release func() error, err error) {
	var all, first, others unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return nil, err
	}
	if all.Count() < 2 {
		return nil, errors.New("the control plane and its clients need a core each, and there is only one")
	}
	others = all
	for cpu := range 64 * len(all) {
		if all.IsSet(cpu) {
			first.Set(cpu)
			others.Clear(cpu)
			break
		}
	}
	self := os.Getpid()
	return func() error { return errors.Join(pin(pid, &all), pin(self, &all)) },
		errors.Join(pin(pid, &first), pin(self, &others))
}

// pin moves all threads of a process to the cores. A thread that is created
// meanwhile inherits its parent's, hence the second round.
func pin(pid int, cores *unix.CPUSet) error {
	for range 2 {
		threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil {
			return err
		}
		for _, thread := range threads {
			var id int
			if _, err := fmt.Sscan(thread.Name(), &id); err != nil {
				return err
			}
			if err := unix.SchedSetaffinity(id, cores); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("cores of process %d: %w", pid, err)
			}
		}
	}
	return nil
}
