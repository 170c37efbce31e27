package process

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// A Pool is any number of processes of one kind, each with a control socket, which
// outlive it. It is not safe for concurrent use.
type Pool struct {
	// Name is what one of the processes is called in logs and errors.
	Name string
	// Dir has the [Files] of all members, and nothing else. Start creates it.
	Dir string
	// Log is the path of the file that all write to.
	Log string
	// Args are the arguments of this program that make it a member. Start adds
	// "--number N".
	Args []string
	// Build is what a member passes to [Acquire] that does what one just started
	// would do.
	Build string
	// Listen makes the control socket at a path. A member inherits it as
	// descriptor 3.
	Listen func(path string) (*os.File, error)
	// Grace is how long a member may take to end after SIGINT before it is killed.
	Grace  time.Duration
	Logger *slog.Logger
}

// A Member is one process of a [Pool].
type Member struct {
	process *Process
	files   Files
	current bool
}

// Find returns the members that run, but for those that are about to end. It waits
// for those that have just been started.
func (p *Pool) Find(ctx context.Context) (found []*Member, err error) {
	numbers, err := p.numbers()
	if err != nil {
		return nil, err
	}
	for _, n := range numbers {
		files := Files{p.Dir, n}
		if !files.answers() {
			if err := files.prune(); err != nil {
				return nil, err
			}
			continue
		}
		m, err := p.member(ctx, files)
		if err != nil {
			return nil, err
		}
		if m != nil {
			p.Logger.Info("found a "+p.Name+" process", "pid", m.PID(), "current", m.current)
			found = append(found, m)
		}
	}
	return found, nil
}

const (
	// startTimeout is how long a process may take from its start to its lock.
	startTimeout = 10 * time.Second
	// startPoll is the time between two looks whether it has it.
	startPoll = 10 * time.Millisecond
)

// member is the process with these files, which may just have been started; nil
// when it has ended meanwhile.
func (p *Pool) member(ctx context.Context, files Files) (*Member, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(startPoll)
	defer tick.Stop()
	for {
		found, err := Find(files.Lock())
		switch {
		case err != nil:
			return nil, err
		case found != nil && found.Build != "":
			return &Member{process: found, files: files, current: decide(found, p.Build) == adoptFound}, nil
		}
		if !files.answers() {
			return nil, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s %d does not start: %w", p.Name, files.Number, ctx.Err())
		case <-tick.C:
		}
	}
}

// Start starts one more member. Its control socket is there when it returns.
func (p *Pool) Start() (*Member, error) {
	if err := os.MkdirAll(p.Dir, 0o700); err != nil {
		return nil, err
	}
	numbers, err := p.numbers()
	if err != nil {
		return nil, err
	}
	files := Files{p.Dir, nextNumber(numbers)}
	control, err := p.Listen(files.Socket())
	if err != nil {
		return nil, err
	}
	defer control.Close()
	args := append(slices.Clone(p.Args), "--number", strconv.FormatUint(files.Number, 10))
	started, err := start(args, p.Log, control)
	if err != nil {
		return nil, errors.Join(err, files.RemoveSocket())
	}
	return &Member{process: started, files: files, current: true}, nil
}

// Stop ends all members at once, those that are about to end included.
func (p *Pool) Stop(ctx context.Context) error {
	if _, err := p.Find(ctx); err != nil { // waits for those that have just been started
		return err
	}
	numbers, err := p.numbers()
	if err != nil {
		return err
	}
	for _, n := range numbers {
		found, err := Find(Files{p.Dir, n}.Lock())
		if err != nil {
			return err
		}
		if found == nil {
			continue
		}
		if err := found.Stop(ctx, syscall.SIGINT, p.Grace); err != nil {
			return fmt.Errorf("%s process: %w", p.Name, err)
		}
	}
	return nil
}

// numbers are those of all members that have files, in order.
func (p *Pool) numbers() (numbers []uint64, err error) {
	entries, err := os.ReadDir(p.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		n, err := memberOf(e.Name())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Dir, err)
		}
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	return slices.Compact(numbers), nil
}

// PID is the member's process id, for people to read.
func (m *Member) PID() int { return m.process.PID() }

// Socket is the path of its control socket.
func (m *Member) Socket() string { return m.files.Socket() }

// Current says that it does what one just started would do.
func (m *Member) Current() bool { return m.current }

// Leave asks it to end when what is under way is done.
func (m *Member) Leave() error { return m.process.Signal(syscall.SIGTERM) }

// Kill ends it.
func (m *Member) Kill() error { return m.process.Signal(syscall.SIGKILL) }

// Wait returns nil when it has ended and its files are gone, or the context's error.
func (m *Member) Wait(ctx context.Context) error {
	if err := m.process.Wait(ctx); err != nil {
		return err
	}
	m.process.reap()
	_ = m.files.prune() // or the next Find does
	return nil
}
