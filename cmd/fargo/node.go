package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os/signal"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sync/errgroup"

	"fargo"
	balancerhealth "fargo/balancer/health"
	"fargo/balancer/objectlog"
	"fargo/balancer/worker"
	"fargo/containerd"
	"fargo/containerd/carried"
	"fargo/dispatch"
	"fargo/dns"
	"fargo/ecsexec"
	"fargo/endpoint"
	"fargo/flowlog"
	"fargo/instance"
	"fargo/kernel"
	"fargo/measurement"
	"fargo/node"
	"fargo/process"
	"fargo/taskmetadata"
)

// nodeCommand runs this machine's data plane: containerd and the agent that
// runs the tasks. fargo up starts it; it is a process of its own so that it outlives
// the control plane.
type nodeCommand struct {
	dataDir
	machineFlags
}

// machineFlags are how this machine runs tasks and load balancers. The control plane
// passes them to the node it starts.
type machineFlags struct {
	Containerd string  `help:"Use the containerd at this socket instead of one of our own." placeholder:"SOCKET"`
	Speed      float64 `default:"1" help:"Divide every waiting time that AWS configuration prescribes by this (${default})." placeholder:"N"`

	AllowRegistry []containerd.HostPattern `help:"Let images come from this host, host:port, address or CIDR block, even if it is on this machine. May be repeated." placeholder:"HOST"`
	DenyRegistry  []containerd.HostPattern `help:"Let none come from there. The narrower of two that differ decides. May be repeated." placeholder:"HOST"`

	PublicRange  netip.Prefix `help:"Take public addresses from these: by default a /20 of 240.0.0.0/4 of the instance's own." placeholder:"CIDR"`
	DataChannels string       `help:"Where to serve the data channels of ECS Exec: by default at the address of --listen and a port that is free, which stays the same." placeholder:"ADDR"`

	PublicRouted bool `help:"The network around this machine routes the public addresses to it: others can connect to them, and what leaves for the Internet keeps them as its source."`
}

// nodeArgs is the command line of the node that belongs to a control plane.
func nodeArgs(inst *instance.Instance, flags machineFlags) []string {
	args := []string{"node", "--data-dir", inst.Dir, "--speed", strconv.FormatFloat(flags.Speed, 'g', -1, 64)}
	if flags.Containerd != "" {
		args = append(args, "--containerd", flags.Containerd)
	}
	for _, host := range flags.AllowRegistry {
		args = append(args, "--allow-registry", host.String())
	}
	for _, host := range flags.DenyRegistry {
		args = append(args, "--deny-registry", host.String())
	}
	if flags.DataChannels != "" {
		args = append(args, "--data-channels", flags.DataChannels)
	}
	if flags.PublicRange.IsValid() {
		args = append(args, "--public-range", flags.PublicRange.String())
	}
	if flags.PublicRouted {
		args = append(args, "--public-routed")
	}
	return args
}

// Run runs the node until it is asked to end. Its tasks run on.
func (c *nodeCommand) Run(ctx context.Context, log *slog.Logger) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	inst, err := instance.Find(c.DataDir)
	if err != nil {
		return err
	}
	build, err := buildOf(nodeArgs(inst, c.machineFlags))
	if err != nil {
		return err
	}
	held, err := process.Acquire(inst.NodeLock(), build)
	if err != nil {
		return fmt.Errorf("node of %s: %w", inst.Dir, err)
	}
	defer held.Close()
	m, err := openMachine(inst, c.machineFlags, log)
	if err != nil {
		return err
	}
	defer m.close()
	return m.run(ctx)
}

// machine is this machine, by the packages that change it.
type machine struct {
	inst    *instance.Instance
	flags   machineFlags
	log     *slog.Logger
	daemon  *containerd.Daemon // nil when the user runs one
	runtime *containerd.Runtime
	network *kernel.Network
	cgroups *kernel.Cgroups
	storage *kernel.Storage
	kept    *kernel.Storage
}

func openMachine(inst *instance.Instance, flags machineFlags, log *slog.Logger) (*machine, error) {
	m := &machine{inst: inst, flags: flags, log: log}
	programs, err := carried.Extract(inst.ProgramsDir())
	if err != nil {
		return nil, err
	}
	// Public addresses lead into our own VPCs, where registries may be, as private ones do.
	public := flags.publicRange(inst)
	inVPCs, err := containerd.ParseHostPattern(public.String())
	if err != nil {
		return nil, err
	}
	runtime := containerd.Config{
		Address:    flags.Containerd,
		Namespace:  inst.ContainerdNamespace(),
		StateDir:   inst.ContainerdStateDir(),
		MemoryDir:  inst.ContainerdMemoryDir(),
		SourcesDir: inst.SourcesDir(),
		Binaries:   programs,
		Registries: containerd.Registries{
			Allow: append(slices.Clip(flags.AllowRegistry), inVPCs), Deny: flags.DenyRegistry, Own: kernel.MachineAddresses,
		},
		DialOwnTLS: dialAPI(inst),
		Helper:     imageHelper(),
		Logger:     log,
	}
	if flags.Containerd == "" {
		m.daemon = ownContainerd(inst, programs, log)
		runtime.Address, runtime.Cgroup = m.daemon.Address(), m.daemon.Cgroup
	} else {
		runtime.Binaries.Shim = "" // a daemon that is not ours starts its own
	}
	config := kernel.Config{Instance: inst.ID, Logger: log, Public: public, Public6: inst.PublicRange6(), PublicRouted: flags.PublicRouted}
	if m.network, err = kernel.NewNetwork(config); err != nil {
		return nil, err
	}
	if m.cgroups, err = kernel.NewCgroups(config); err != nil {
		return nil, errors.Join(err, m.network.Close())
	}
	m.storage = &kernel.Storage{Dir: inst.StorageDir(), Logger: log}
	m.kept = &kernel.Storage{Dir: inst.VolumesDir(), Keep: true, Logger: log}
	m.runtime, err = containerd.New(runtime)
	if err != nil {
		return nil, errors.Join(err, m.network.Close())
	}
	return m, nil
}

// ownContainerd is the containerd of an instance.
func ownContainerd(inst *instance.Instance, programs carried.Binaries, log *slog.Logger) *containerd.Daemon {
	return &containerd.Daemon{
		Binaries: programs,
		StateDir: inst.ContainerdStateDir(),
		RootDir:  inst.ContainerdDir(),
		Cgroup:   inst.ContainerdCgroup(),
		Logger:   log,
	}
}

// close closes what is open and leaves everything on the machine as it is.
func (m *machine) close() error { return errors.Join(m.runtime.Close(), m.network.Close()) }

// run keeps containerd running, and the tasks as in the desired state.
func (m *machine) run(ctx context.Context) error {
	defer m.kept.Wait()
	defer m.storage.Wait()
	hello, err := m.hello()
	if err != nil {
		return err
	}
	channels := m.listenDataChannels(ctx)
	if channels != nil {
		hello.DataChannels = channels.Addr().String()
	}
	client, err := dispatch.NewClient(dispatch.ClientConfig{
		Target: "unix://" + m.inst.Socket(),
		Hello:  hello,
		Logger: m.log,
	})
	if err != nil {
		return err
	}
	for _, dir := range []string{m.inst.NodeSecretsDir(), m.inst.ContainerdMemoryDir()} {
		if err := kernel.MemoryDir(dir); err != nil {
			return err
		}
	}
	machineResolvers := &dns.ResolvConf{Path: "/etc/resolv.conf", Fallback: "/run/systemd/resolve/resolv.conf"}
	names := dns.New(dns.Config{
		Network:  m.network,
		Upstream: machineResolvers.Servers,
		Public:   m.flags.publicRange(m.inst),
		Hosts:    hosts(m.inst),
		Logger:   m.log,
	})
	commands := ecsexec.New(ecsexec.Config{Runtime: m.runtime, Link: client, Dir: m.inst.ExecDir(), Logger: m.log})
	apis := endpoint.New(endpoint.Config{Network: m.network, DialTLS: dialAPI(m.inst), Hidden: ownPath, Channels: dataChannels(commands), Logger: m.log})
	pool, err := balancerPool(m.inst, m.flags, m.log)
	if err != nil {
		return err
	}
	checker := balancerhealth.NewChecker(balancerhealth.Config{
		AccessLogs: m.inst.AccessLogsDir(),
		Network:    balancerNetwork{m.network},
		Logger:     m.log,
		Pace:       fargo.Pace(m.flags.Speed),
	})
	defer checker.Close()
	balancers := worker.NewFleet(worker.FleetConfig{
		Checker:   checker,
		Processes: workerProcesses{pool},
		Workers:   worker.Workers(),
		Packets: func(interfaceID string) (uint64, error) {
			s, err := m.network.InterfaceStatistics(interfaceID)
			return s.Received.Packets, err
		},
		Logger: m.log,
	})
	flowLogs := flowlog.New(m.network, m.log)
	tasks := &metadataTasks{client: client}
	metadata := taskmetadata.New(taskmetadata.Config{
		Network: m.network, Containers: m.cgroups, Tasks: tasks, DialTLS: dialAPI(m.inst), Clock: kernel.ClockError, Logger: m.log,
	})
	n := node.New(node.Config{
		Runtime: m.runtime,
		Network: m.network,
		Cgroups: m.cgroups,
		Storage: m.storage,
		Kept:    m.kept,
		Link:    client,
		Watcher: node.Inotify{},
		Followers: []node.Follower{
			balancerFollower{balancers},
			endpointFollower{apis},
			dnsFollower{names},
			flowLogFollower{flowLogs},
			metadataFollower{metadata},
			execFollower{commands},
		},
		Dir:            m.inst.NodeDir(),
		MemoryDir:      m.inst.NodeMemoryDir(),
		FileSystemsDir: m.inst.FileSystemsDir(),
		SecretsDir:     m.inst.NodeSecretsDir(),
		Logger:         m.log,
	})
	logs := objectlog.Sender{
		Dir: objectlog.Dir{Root: m.inst.AccessLogsDir(), Pace: fargo.Pace(m.flags.Speed)}, Put: client.PutLogObject, Logger: m.log,
	}
	meter := measurement.New(measurement.Config{
		Tasks: n.Tasks, Containers: m.cgroups, Network: m.network, Storage: m.storage, Kept: m.kept,
		Balancers: balancers.Measure, Send: client.PutMeasurements, Dir: m.inst.MeasurementsDir(), Pace: fargo.Pace(m.flags.Speed), Logger: m.log,
	})
	tasks.Node = n // nobody asks before metadata runs
	g, ctx := errgroup.WithContext(ctx)
	if m.daemon != nil {
		g.Go(func() error { return m.daemon.Run(ctx) })
	}
	g.Go(func() error { return m.runtime.Run(ctx) })
	g.Go(func() error { return n.Run(ctx) })
	g.Go(func() error { return names.Run(ctx) })
	g.Go(func() error { return apis.Run(ctx) })
	g.Go(func() error { return metadata.Run(ctx) })
	g.Go(func() error { return commands.Run(ctx) })
	g.Go(func() error { return serveDataChannels(ctx, channels, dataChannels(commands), m.log) })
	g.Go(func() error { return flowLogs.Run(ctx, n.Records()) })
	g.Go(func() error { return balancers.Run(ctx) })
	g.Go(func() error { return logs.Run(ctx) })
	g.Go(func() error { return meter.Run(ctx) })
	g.Go(func() error { return client.Run(ctx, n, balancers) })
	return g.Wait()
}

// hosts is the instance's part of the machine's hosts file.
func hosts(inst *instance.Instance) *dns.Hosts {
	return &dns.Hosts{Path: "/etc/hosts", Instance: inst.ID}
}
