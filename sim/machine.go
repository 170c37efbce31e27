package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"fargo/desired"
	"fargo/dispatch"
	"fargo/host"
	"fargo/node"
	"fargo/node/nodetest"
)

// machine is what outlives a node's process: containers, networks, control
// groups and files.
type machine struct {
	name    string
	dir     string // on its disk
	memory  string // a directory that loss of power empties
	road    *road
	log     *slog.Logger
	runtime *nodetest.Runtime
	network *nodetest.Network
	cgroups *nodetest.Cgroups

	mu struct {
		sync.Mutex
		rand *rand.Rand
		away bool              // registries do not answer
		sick map[string]bool   // containers that fail their checks, by id
		made map[string]string // images of containers, by id
	}

	cancel context.CancelFunc // of the present process
	all    sync.WaitGroup
	failed chan<- error
}

func newMachine(name, dir string, r *road, seed uint64, log *slog.Logger, failed chan<- error) *machine {
	m := &machine{
		name: name, dir: filepath.Join(dir, name, "disk"), memory: filepath.Join(dir, name, "memory"), road: r, log: log.With("machine", name), failed: failed,
		runtime: nodetest.NewRuntime(images), network: &nodetest.Network{}, cgroups: &nodetest.Cgroups{},
	}
	m.runtime.Delay, m.network.Delay, m.cgroups.Delay = 3*time.Millisecond, 5*time.Millisecond, time.Millisecond
	m.mu.rand, m.mu.sick, m.mu.made = rand.New(rand.NewPCG(seed, 1)), map[string]bool{}, map[string]string{}
	return m
}

// start begins a node's process.
func (m *machine) start(ctx context.Context) error {
	client, err := dispatch.NewClient(dispatch.ClientConfig{Target: "passthrough:///control", Node: m.name, Logger: m.log, Options: []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return m.road.dial(ctx, m.name) }),
	}})
	if err != nil {
		return err
	}
	ctx, m.cancel = context.WithCancel(ctx)
	targets := newChecker(m)
	n := node.New(node.Config{
		Runtime: door{m.runtime, m}, Network: m.network, Cgroups: m.cgroups, Link: client, Watcher: m.runtime,
		Followers: []node.Follower{targets}, Dir: m.dir, MemoryDir: m.memory, SecretsDir: filepath.Join(m.memory, "secrets"), Logger: m.log,
	})
	m.all.Go(func() {
		if err := n.Run(ctx); err != nil || ctx.Err() == nil {
			m.failed <- fmt.Errorf("node %s ended: %w", m.name, err)
		}
	})
	m.all.Go(func() { targets.run(ctx) })
	m.all.Go(func() { _ = client.Run(ctx, n, targets) }) // nil, always
	return nil
}

// kill ends the process, and no call of it has an effect any more.
func (m *machine) kill() {
	m.road.cut(m.name)
	m.cancel()
	m.all.Wait()
}

// lose is what a loss of power does: nothing runs any more, and what was in memory
// only is gone.
func (m *machine) lose() error {
	m.runtime.Lose()
	return os.RemoveAll(m.memory)
}

// pull waits as long as a pull takes, and fails while registries are away.
func (m *machine) pull(ctx context.Context) error {
	m.mu.Lock()
	wait, away := time.Duration(m.mu.rand.Int64N(int64(2*time.Second))), m.mu.away
	m.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
	}
	if away {
		return errors.New("CannotPullContainerError: pull image manifest has been retried 1 time(s): dial tcp: i/o timeout")
	}
	return nil
}

func (m *machine) setAway(away bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.away = away
}

func (m *machine) makeSick(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.sick[id] = true
}

func (m *machine) isSick(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mu.sick[id]
}

func (m *machine) image(id string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mu.made[id]
}

// running are the containers that run now, in order of id.
func (m *machine) running() []host.ContainerState {
	all, _ := m.runtime.List(context.Background()) // fails with its context only
	var out []host.ContainerState
	for _, c := range all {
		if c.State == host.RunRunning {
			out = append(out, c)
		}
	}
	return out
}

// answers reports whether what runs at an address of this machine would pass a
// target group's check.
func (m *machine) answers(a netip.Addr) bool {
	now, _ := m.network.Now()
	for _, i := range now.Interfaces {
		if i.Address != a {
			continue
		}
		for _, c := range m.running() {
			spec, ok := m.runtime.Spec(c.ID)
			if !ok || spec.NetNS != m.network.NetNS(i.ID) || m.isSick(c.ID) {
				continue
			}
			if s := images[spec.Image]; s.Healthy >= 0 && time.Since(c.StartedAt) >= s.Healthy {
				return true
			}
		}
	}
	return false
}

// door is the machine's runtime as a process of the node sees it, with what may
// go wrong in it.
type door struct {
	node.Runtime
	machine *machine
}

// Pull implements [node.Runtime].
func (d door) Pull(ctx context.Context, image string, src desired.PullSource, password host.Password) (host.Image, error) {
	if err := d.machine.pull(ctx); err != nil {
		return host.Image{}, err
	}
	if value, err := password(ctx); err != nil {
		return host.Image{}, err
	} else if !value.Equal(passwordFor(src.PasswordID)) {
		return host.Image{}, errors.New("CannotPullContainerError: pull access denied")
	}
	return d.Runtime.Pull(ctx, image, src, password)
}

// Create implements [node.Runtime].
func (d door) Create(ctx context.Context, spec host.ContainerSpec) error {
	d.machine.mu.Lock()
	d.machine.mu.made[spec.ID] = spec.Image
	d.machine.mu.Unlock()
	return d.Runtime.Create(ctx, spec)
}

// Exec implements [node.Runtime].
func (d door) Exec(ctx context.Context, id string, spec host.ExecSpec) (int, error) {
	code, err := d.Runtime.Exec(ctx, id, spec)
	if err == nil && d.machine.isSick(id) {
		code = 1
	}
	return code, err
}

// images are what containers do, by name. Some never work.
var images = map[string]nodetest.Script{
	"plain":   {Output: []string{"one", "two"}, Healthy: 2 * time.Second},
	"slow":    {Output: []string{"one", "two"}, Healthy: 15 * time.Second, Lingers: 12 * time.Second},
	"deaf":    {Output: []string{"one", "two"}, Healthy: time.Second, Lingers: -1},
	"crashes": {Output: []string{"oh no"}, Exits: true, After: 20 * time.Second, Code: 1, Healthy: -1},
	"absent":  {PullError: "CannotPullContainerError: not found"},
	"sickly":  {Output: []string{"one", "two"}, Healthy: -1},
}

var (
	goodImages = []string{"plain", "slow", "deaf"}
	badImages  = []string{"crashes", "absent", "sickly"}
)

func works(image string) bool { return slices.Contains(goodImages, image) }
