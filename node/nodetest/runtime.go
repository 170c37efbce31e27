// Package nodetest has a machine in memory: a runtime whose containers follow
// scripts, a network and control groups that remember what they were set to.
// They keep the contracts of package node's interfaces and outlive the nodes that
// use them, so that tests and simulations can kill a node at any moment and see
// what it left. They know no kernel and no images.
package nodetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"

	"fargo/desired"
	"fargo/host"
	"fargo/node"
	"fargo/secret"
)

// Script is what a container does, told by its image.
type Script struct {
	// Exits says that the process ends by itself with Code, After its start.
	Exits bool
	After time.Duration
	Code  int
	OOM   bool // it ends because memory ran out
	// Lingers is how long the process goes on after SIGTERM, before it ends with
	// 143; less than 0 means that it does not heed it.
	Lingers time.Duration
	// Output is written at the start, a line each.
	Output []string
	// Healthy is when after its start health checks succeed; less than 0 means
	// never.
	Healthy time.Duration

	// What the runtime refuses, with these texts.
	PullError, CreateError, StartError string
}

// Runtime is a [node.Runtime]. Each call takes Delay, and has its effect at the end
// of it unless its context ended before.
type Runtime struct {
	Scripts map[string]Script // by image
	Delay   time.Duration

	mu struct {
		sync.Mutex
		containers map[string]*container
		watchers   map[chan string]bool
		growing    map[chan string]bool
		history    []string // "start <id>", "SIGTERM <id>", …
		passwords  []secret.Text
		users      []string                 // as whom images were pulled
		held       map[string]chan struct{} // images whose pulls wait, closed to let them go
	}
}

var (
	_ node.Runtime = (*Runtime)(nil)
	_ node.Watcher = (*Runtime)(nil)
)

type container struct {
	spec  host.ContainerSpec
	state host.ContainerState
	end   *time.Timer
}

// NewRuntime makes a runtime without containers.
func NewRuntime(scripts map[string]Script) *Runtime {
	r := &Runtime{Scripts: scripts}
	r.mu.containers = map[string]*container{}
	r.mu.watchers = map[chan string]bool{}
	r.mu.growing = map[chan string]bool{}
	return r
}

// History is what happened to containers, in order: "start <id>",
// "<signal> <id>", "exit <id> <code>", "remove <id>".
func (r *Runtime) History() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.mu.history)
}

// Hold has pulls of an image wait, once they have a password, and Let lets them go on.
func (r *Runtime) Hold(image string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.held == nil {
		r.mu.held = map[string]chan struct{}{}
	}
	r.mu.held[image] = make(chan struct{})
}

// Let undoes Hold.
func (r *Runtime) Let(image string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.mu.held[image])
	delete(r.mu.held, image)
}

// Passwords are those that pulls were given, in order.
func (r *Runtime) Passwords() []secret.Text {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.mu.passwords)
}

// Users are the names that came with Passwords.
func (r *Runtime) Users() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.mu.users)
}

// Now gives the ids of all containers, at once.
func (r *Runtime) Now() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.mu.containers))
}

// Spec is what a container was made of.
func (r *Runtime) Spec(id string) (host.ContainerSpec, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.mu.containers[id]
	if c == nil {
		return host.ContainerSpec{}, false
	}
	return c.spec, true
}

// Lose forgets all containers, as a machine that was switched off does.
func (r *Runtime) Lose() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, c := range r.mu.containers {
		c.end.Stop()
		delete(r.mu.containers, id)
	}
}

// pass lets Delay go by, and fails when ctx ends before.
func (r *Runtime) pass(ctx context.Context) error { return pass(ctx, r.Delay) }

func (r *Runtime) note(format string, args ...any) {
	r.mu.history = append(r.mu.history, fmt.Sprintf(format, args...))
}

// notify tells watchers that a container may have changed. mu is held.
func (r *Runtime) notify(id string) { send(r.mu.watchers, id) }

// send puts a name into channels with plenty of room; one that has none is told
// that everything may have changed once it has.
func send(to map[chan string]bool, name string) {
	for w := range to {
		select {
		case w <- name:
		default:
			<-w
			w <- ""
		}
	}
}

// Pull finds every image there is a script for, and others too, unless the script
// refuses. It logs in if it can.
func (r *Runtime) Pull(ctx context.Context, image string, _ desired.PullSource, login host.Login) (host.Image, error) {
	if err := r.pass(ctx); err != nil {
		return host.Image{}, err
	}
	if s := r.Scripts[image]; s.PullError != "" {
		return host.Image{}, errors.New(s.PullError)
	}
	if login != nil {
		user, value, err := login(ctx)
		if err != nil {
			return host.Image{}, err
		}
		r.mu.Lock()
		r.mu.passwords, r.mu.users = append(r.mu.passwords, value), append(r.mu.users, user)
		r.mu.Unlock()
	}
	r.mu.Lock()
	held := r.mu.held[image]
	r.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-ctx.Done():
			return host.Image{}, ctx.Err()
		}
	}
	return host.Image{Name: image, Digest: "sha256:" + image}, nil
}

// Create makes a container unless its script refuses.
func (r *Runtime) Create(ctx context.Context, spec host.ContainerSpec) error {
	if err := r.pass(ctx); err != nil {
		return err
	}
	if s := r.Scripts[spec.Image]; s.CreateError != "" {
		return errors.New(s.CreateError)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.containers[spec.ID] == nil {
		idle := time.NewTimer(time.Hour)
		idle.Stop()
		r.mu.containers[spec.ID] = &container{spec: spec, end: idle, state: host.ContainerState{
			ID: spec.ID, TaskID: spec.TaskID, Name: spec.Name, ImageDigest: spec.ImageDigest, State: host.RunCreated,
		}}
		r.note("create %s", spec.ID)
	}
	return nil
}

// Start begins what the script says, and writes its output.
func (r *Runtime) Start(ctx context.Context, id string) error {
	if err := r.pass(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.find(id)
	if err != nil {
		return err
	}
	if c.state.State != host.RunCreated {
		return nil
	}
	s := r.Scripts[c.spec.Image]
	if s.StartError != "" {
		return errors.New(s.StartError)
	}
	r.note("start %s", id)
	c.state.State, c.state.StartedAt = host.RunRunning, time.Now()
	if s.Exits {
		r.endAfter(c, s.After, s.Code, s.OOM)
	}
	r.notify(id)
	return r.write(c, s.Output)
}

func (r *Runtime) endAfter(c *container, d time.Duration, code int, oom bool) {
	c.end.Stop()
	c.end = time.AfterFunc(d, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.exit(c, code, oom)
	})
}

// exit ends a container's process. mu is held.
func (r *Runtime) exit(c *container, code int, oom bool) {
	if c.state.State != host.RunRunning || r.mu.containers[c.state.ID] != c {
		return
	}
	c.end.Stop()
	c.state.State, c.state.ExitCode, c.state.OOMKilled, c.state.FinishedAt = host.RunStopped, code, oom, time.Now()
	r.note("exit %s %d", c.state.ID, code)
	r.notify(c.state.ID)
}

// write appends lines to a container's log file. mu is held.
func (r *Runtime) write(c *container, lines []string) error {
	if c.spec.LogPath == "" || len(lines) == 0 {
		return nil
	}
	f, err := os.OpenFile(c.spec.LogPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteString(strings.Join(lines, "\n") + "\n"); err != nil {
		return err
	}
	send(r.mu.growing, c.state.ID)
	return nil
}

// find gives a container. mu is held.
func (r *Runtime) find(id string) (*container, error) {
	if c := r.mu.containers[id]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("container %s: %w", id, errdefs.ErrNotFound)
}

// Inspect gives a container as it is.
func (r *Runtime) Inspect(ctx context.Context, id string) (host.ContainerState, error) {
	if err := r.pass(ctx); err != nil {
		return host.ContainerState{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.find(id)
	if err != nil {
		return host.ContainerState{}, err
	}
	return c.state, nil
}

// List gives all containers, ordered by id.
func (r *Runtime) List(ctx context.Context) ([]host.ContainerState, error) {
	if err := r.pass(ctx); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []host.ContainerState
	for _, c := range r.mu.containers {
		all = append(all, c.state)
	}
	slices.SortFunc(all, func(a, b host.ContainerState) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

// Events gives the ids of containers as they change.
func (r *Runtime) Events(ctx context.Context) <-chan string { return r.subscribe(ctx, r.mu.watchers) }

// Watch implements [node.Watcher] for the files that containers write.
func (r *Runtime) Watch(ctx context.Context, _ string) (<-chan string, error) {
	return r.subscribe(ctx, r.mu.growing), nil
}

func (r *Runtime) subscribe(ctx context.Context, list map[chan string]bool) <-chan string {
	w := make(chan string, 1024)
	r.mu.Lock()
	defer r.mu.Unlock()
	list[w] = true
	context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(list, w)
		close(w)
	})
	return w
}

// Signal does what the script says to SIGTERM and every other signal but SIGKILL.
func (r *Runtime) Signal(ctx context.Context, id, signal string) error {
	if err := r.pass(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.find(id)
	if err != nil {
		return err
	}
	if c.state.State != host.RunRunning {
		return nil
	}
	r.note("%s %s", signal, id)
	switch s := r.Scripts[c.spec.Image]; {
	case signal == "SIGKILL":
		r.exit(c, 137, false)
	case s.Lingers == 0:
		r.exit(c, 143, false)
	case s.Lingers > 0:
		r.endAfter(c, s.Lingers, 143, false)
	}
	return nil
}

// StopSignal is SIGTERM: there are no images that want another.
func (r *Runtime) StopSignal(context.Context, string) string { return "SIGTERM" }

// Remove ends a container and forgets it.
func (r *Runtime) Remove(ctx context.Context, id string) error {
	if err := r.pass(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.mu.containers[id]; c != nil {
		r.exit(c, 137, false)
		r.note("remove %s", id)
		delete(r.mu.containers, id)
		r.notify(id)
	}
	return nil
}

// Exec runs every command as a health check.
func (r *Runtime) Exec(ctx context.Context, id string, _ host.ExecSpec) (int, error) {
	if err := r.pass(ctx); err != nil {
		return 0, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.find(id)
	if err != nil {
		return 0, err
	}
	if s := r.Scripts[c.spec.Image]; c.state.State != host.RunRunning || s.Healthy < 0 || time.Since(c.state.StartedAt) < s.Healthy {
		return 1, nil
	}
	return 0, nil
}
