package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"fargo/balancer/worker"
)

// balancerFiles are those of one load balancer process, by its number.
type balancerFiles struct {
	inst   *instance
	number uint64
}

func (b balancerFiles) path(ending string) string {
	return filepath.Join(b.inst.balancerDir(), strconv.FormatUint(b.number, 10)+ending)
}

// Socket is where it is told what to do. Whoever connects finds the process, or
// that there is none.
func (b balancerFiles) Socket() string { return b.path(".sock") }

// Lock is held by it while it runs.
func (b balancerFiles) Lock() string { return b.path(".lock") }

// remove removes the socket: the process is no longer found.
func (b balancerFiles) remove() error {
	return unlessGone(os.Remove(b.Socket()))
}

// answers reports whether there is a process that has the socket.
func (b balancerFiles) answers() bool {
	conn, err := net.Dial("unix", b.Socket())
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// tidy removes what a process has left that has ended. One that is about to end
// has no socket, but its lock.
func (b balancerFiles) tidy() error {
	if _, held, err := holderOf(b.Lock()); err != nil || held {
		return err
	}
	return errors.Join(b.remove(), unlessGone(os.Remove(b.Lock())))
}

func unlessGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// balancerProcesses are the load balancer processes of an instance.
type balancerProcesses struct {
	inst  *instance
	args  []string // of `fargo`, from "balancer" on
	build string   // what such a process says it is
	log   *slog.Logger
}

func newBalancerProcesses(inst *instance, flags machineFlags, log *slog.Logger) (*balancerProcesses, error) {
	args := balancerArgs(inst, flags)
	build, err := buildOf(args)
	if err != nil {
		return nil, err
	}
	return &balancerProcesses{inst: inst, args: args, build: build, log: log}, os.MkdirAll(inst.balancerDir(), 0o700)
}

// Find implements [worker.Processes].
func (b *balancerProcesses) Find(ctx context.Context) (found []worker.Process, err error) {
	numbers, err := b.numbers()
	if err != nil {
		return nil, err
	}
	for _, n := range numbers {
		files := balancerFiles{b.inst, n}
		if !files.answers() {
			if err := files.tidy(); err != nil {
				return nil, err
			}
			continue
		}
		p, err := b.holder(ctx, files)
		if err != nil {
			return nil, err
		}
		if p != nil {
			b.log.Info("found a load balancer process", "pid", p.process.Pid, "current", p.current)
			found = append(found, p)
		}
	}
	return found, nil
}

// startTimeout is how long a process may take from its start to its lock.
const startTimeout = 10 * time.Second

// holder is the process with these files, which may just have been started; nil
// when it has ended meanwhile.
func (b *balancerProcesses) holder(ctx context.Context, files balancerFiles) (*balancerProcess, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		p, h, err := findHolder(files.Lock())
		switch {
		case err != nil:
			return nil, err
		case p != nil && h.Build != "":
			return &balancerProcess{process: p, files: files, current: h.Build == b.build}, nil
		}
		if !files.answers() {
			return nil, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("load balancer %d does not start: %w", files.number, ctx.Err())
		case <-tick.C:
		}
	}
}

// Start implements [worker.Processes].
func (b *balancerProcesses) Start() (worker.Process, error) {
	numbers, err := b.numbers()
	if err != nil {
		return nil, err
	}
	files := balancerFiles{inst: b.inst}
	if len(numbers) > 0 {
		files.number = slices.Max(numbers) + 1
	}
	control, err := worker.Listen(files.Socket())
	if err != nil {
		return nil, err
	}
	defer control.Close()
	p, err := startProcess(append(slices.Clone(b.args), "--number", strconv.FormatUint(files.number, 10)), b.inst.BalancerLog(), control)
	if err != nil {
		return nil, errors.Join(err, files.remove())
	}
	return &balancerProcess{process: p, files: files, current: true}, nil
}

// numbers are those of all processes that have files, in order.
func (b *balancerProcesses) numbers() (numbers []uint64, err error) {
	entries, err := os.ReadDir(b.inst.balancerDir())
	if err != nil {
		return nil, unlessGone(err)
	}
	for _, e := range entries {
		name, _, _ := strings.Cut(e.Name(), ".")
		n, err := strconv.ParseUint(name, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.inst.balancerDir(), err)
		}
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	return slices.Compact(numbers), nil
}

// balancerEnd is how long a load balancer process may take to end by itself.
const balancerEnd = 5 * time.Second

// stop ends all of them at once, those that are about to go included.
func (b *balancerProcesses) stop(ctx context.Context) error {
	if _, err := b.Find(ctx); err != nil { // waits for those that have just been started
		return err
	}
	numbers, err := b.numbers()
	if err != nil {
		return err
	}
	for _, n := range numbers {
		p, _, err := findHolder(balancerFiles{b.inst, n}.Lock())
		if err != nil {
			return err
		}
		if p == nil {
			continue
		}
		if err := endProcess(ctx, p, syscall.SIGINT, balancerEnd); err != nil {
			return fmt.Errorf("load balancer process %d: %w", p.Pid, err)
		}
	}
	return nil
}

// balancerProcess implements [worker.Process].
type balancerProcess struct {
	process *os.Process
	files   balancerFiles
	current bool
}

func (b *balancerProcess) PID() int       { return b.process.Pid }
func (b *balancerProcess) Socket() string { return b.files.Socket() }
func (b *balancerProcess) Current() bool  { return b.current }
func (b *balancerProcess) Leave() error   { return signalProcess(b.process, syscall.SIGTERM) }
func (b *balancerProcess) Kill() error    { return signalProcess(b.process, syscall.SIGKILL) }

// Wait implements [worker.Process].
func (b *balancerProcess) Wait(ctx context.Context) error {
	if err := waitFor(ctx, b.process); err != nil {
		return err
	}
	_, _ = b.process.Wait() // of a child there is something to collect
	_ = b.files.tidy()      // or the next Find does
	return nil
}
