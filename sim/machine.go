package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"fargo/balancer/health"
	"fargo/desired"
	"fargo/dispatch"
	"fargo/host"
	"fargo/node"
	"fargo/node/nodetest"
)

// machine is what outlives a node's process: containers, networks, control
// groups and files.
type machine struct {
	machineConfig
	disk    string // a directory
	memory  string // a directory that loss of power empties
	runtime *nodetest.Runtime
	network *nodetest.Network
	cgroups *nodetest.Cgroups

	mu struct {
		sync.Mutex
		rand           *rand.Rand
		registriesDown bool
		unhealthy      map[string]bool   // containers that fail their checks, by id
		imageOf        map[string]string // images of containers, by id
		dataLosses     int               // how often its node has lost its data
	}

	away       bool            // for long, or for good
	gone       bool            // for good
	outputLost map[string]bool // containers whose output was lost with the node's data, by id

	cancel  context.CancelFunc // ends the node's process; nil while there is none
	all     sync.WaitGroup     // of the node's process
	checker checker            // of the node's process
	// health is what load balancers have been told of their targets.
	health []health.Status
}

// machineConfig is what a machine is made of.
type machineConfig struct {
	name string
	dir  string // its disk and memory are below it
	link *link
	// answer gives the status with which an address of a VPC answers a health check,
	// whatever machine it is on; 0 when nothing listens there.
	answer func(netip.Addr) (status int)
	seed   uint64
	log    *slog.Logger
	failed chan<- error // gets the error of a node that ends by itself
}

func newMachine(c machineConfig) *machine {
	c.log = c.log.With("machine", c.name)
	m := &machine{
		machineConfig: c, disk: filepath.Join(c.dir, c.name, "disk"), memory: filepath.Join(c.dir, c.name, "memory"),
		outputLost: map[string]bool{}, runtime: nodetest.NewRuntime(images), network: &nodetest.Network{}, cgroups: &nodetest.Cgroups{},
	}
	m.runtime.Delay, m.network.Delay, m.cgroups.Delay = 3*time.Millisecond, 5*time.Millisecond, time.Millisecond
	m.mu.rand, m.mu.unhealthy, m.mu.imageOf = rand.New(rand.NewPCG(c.seed, 1)), map[string]bool{}, map[string]string{}
	return m
}

// start starts a node's process.
func (m *machine) start(ctx context.Context) error {
	client, err := dispatch.NewClient(dispatch.ClientConfig{Target: "passthrough:///control", Hello: desired.Hello{ID: m.nodeID(), Machine: m.name, Network: "sim"}, Logger: m.log, Options: []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return m.link.dial(ctx, m.name) }),
	}})
	if err != nil {
		return err
	}
	ctx, m.cancel = context.WithCancel(ctx)
	m.checker = newChecker(m)
	n := node.New(node.Config{
		Runtime: faultyRuntime{m.runtime, m}, Network: m.network, Cgroups: m.cgroups, Storage: nodetest.Storage{Dir: filepath.Join(m.disk, "storage")}, Kept: nodetest.Storage{Dir: filepath.Join(m.disk, "volumes"), Keep: true}, Link: client, Watcher: m.runtime,
		Followers: []node.Follower{m.checker}, Dir: m.disk, MemoryDir: m.memory, FileSystemsDir: filepath.Join(m.disk, "efs"), SecretsDir: filepath.Join(m.memory, "secrets"), Logger: m.log,
	})
	m.all.Go(func() {
		if err := n.Run(ctx); err != nil || ctx.Err() == nil {
			m.failed <- fmt.Errorf("node %s ended: %w", m.name, err)
		}
	})
	m.all.Go(func() { _ = client.Run(ctx, n, m.checker) }) // nil, always
	return nil
}

// kill ends the node's process: when it returns, no call of it has an effect any
// more.
func (m *machine) kill() {
	if m.cancel == nil {
		return
	}
	m.link.cut(m.name)
	m.cancel()
	m.cancel = nil
	m.all.Wait()
	m.health, _ = m.checker.Checker.Health()
	m.checker.Close()
}

// losePower ends what runs, and empties the memory.
func (m *machine) losePower() error {
	m.runtime.Lose()
	m.health = nil
	return os.RemoveAll(m.memory)
}

// pull waits as long as a pull takes, and fails while registries do not answer.
func (m *machine) pull(ctx context.Context) error {
	m.mu.Lock()
	wait, down := time.Duration(m.mu.rand.Int64N(int64(2*time.Second))), m.mu.registriesDown
	m.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
	}
	if down {
		return errors.New("CannotPullContainerError: pull image manifest has been retried 1 time(s): dial tcp: i/o timeout")
	}
	return nil
}

func (m *machine) setRegistriesDown(down bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.registriesDown = down
}

func (m *machine) makeUnhealthy(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.unhealthy[id] = true
}

func (m *machine) isUnhealthy(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mu.unhealthy[id]
}

func (m *machine) image(id string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mu.imageOf[id]
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

// serve gives the status with which an address of this machine answers a health
// check; 0 when nothing listens there.
func (m *machine) serve(a netip.Addr) (status int) {
	if m.link.isolated(m.name) {
		return 0
	}
	now, _ := m.network.Now()
	for _, i := range now.Interfaces {
		if i.Address != a {
			continue
		}
		for _, c := range m.running() {
			spec, ok := m.runtime.Spec(c.ID)
			if !ok || spec.NetNS != m.network.NetNS(i.ID) {
				continue
			}
			switch s := images[spec.Image]; {
			case m.isUnhealthy(c.ID), s.Healthy < 0:
				return http.StatusInternalServerError
			case time.Since(c.StartedAt) >= s.Healthy:
				return http.StatusOK
			}
		}
	}
	return 0
}

// faultyRuntime is the machine's runtime as the node sees it, with faults.
type faultyRuntime struct {
	node.Runtime
	machine *machine
}

// Pull implements [node.Runtime].
func (f faultyRuntime) Pull(ctx context.Context, image string, src desired.PullSource, login host.Login) (host.Image, error) {
	if err := f.machine.pull(ctx); err != nil {
		return host.Image{}, err
	}
	if _, value, err := login(ctx); err != nil {
		return host.Image{}, err
	} else if !value.Equal(passwordFor(src.PasswordID)) {
		return host.Image{}, errors.New("CannotPullContainerError: pull access denied")
	}
	return f.Runtime.Pull(ctx, image, src, login)
}

// Create implements [node.Runtime].
func (f faultyRuntime) Create(ctx context.Context, spec host.ContainerSpec) error {
	f.machine.mu.Lock()
	f.machine.mu.imageOf[spec.ID] = spec.Image
	f.machine.mu.Unlock()
	return f.Runtime.Create(ctx, spec)
}

// Exec implements [node.Runtime].
func (f faultyRuntime) Exec(ctx context.Context, id string, spec host.ExecSpec) (int, error) {
	code, err := f.Runtime.Exec(ctx, id, spec)
	if err == nil && f.machine.isUnhealthy(id) {
		code = 1
	}
	return code, err
}

// images are what containers do, by name. Some never work.
var images = map[string]nodetest.Script{
	"plain":     {Output: []string{"one", "two"}, Healthy: 2 * time.Second},
	"slow":      {Output: []string{"one", "two"}, Healthy: 15 * time.Second, Lingers: 12 * time.Second},
	"deaf":      {Output: []string{"one", "two"}, Healthy: time.Second, Lingers: -1},
	"crashes":   {Output: []string{"oh no"}, Exits: true, After: 20 * time.Second, Code: 1, Healthy: -1},
	"absent":    {PullError: "CannotPullContainerError: not found"},
	"unhealthy": {Output: []string{"one", "two"}, Healthy: -1},
}

var (
	goodImages = []string{"plain", "slow", "deaf"}
	badImages  = []string{"crashes", "absent", "unhealthy"}
)

func works(image string) bool { return slices.Contains(goodImages, image) }
