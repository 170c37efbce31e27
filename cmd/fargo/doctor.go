package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"

	"fargo"
	"fargo/containerd"
	"fargo/containerd/carried"
	"fargo/kernel"
)

// doctorCommand tries, in small, all that Fargo asks of a machine. It does not
// look for signs of an ability but uses it, and removes what it made.
type doctorCommand struct {
	Listen string `default:"${listen}" help:"The address that up would listen on (${default})." placeholder:"ADDR"`
}

// ailment is something a machine may lack.
type ailment struct {
	name string
	try  func(context.Context) error
	mend string // the command that brings it
	// optional ailments are told, but Fargo works without the cure.
	optional bool
}

// Run prints one line for each thing tried, and fails when one is missing that
// Fargo cannot do without.
func (c *doctorCommand) Run(ctx context.Context, std *stdio) error {
	id, err := freeID()
	if err != nil {
		return err
	}
	d := doctor{instance: id}
	missing := 0
	for _, a := range d.ailments(c.Listen) {
		err := a.try(ctx)
		if err == nil {
			fmt.Fprintf(std.out, "ok       %s\n", a.name)
			continue
		}
		word := "missing"
		if a.optional {
			word = "better"
		} else {
			missing++
		}
		fmt.Fprintf(std.out, "%-8s %s: %v\n         try: %s\n", word, a.name, err, a.mend)
	}
	if missing > 0 {
		return fmt.Errorf("this machine lacks %d of the things Fargo needs", missing)
	}
	return nil
}

// doctor tries things as an instance that nobody else is.
type doctor struct{ instance string }

func (d doctor) ailments(listen string) []ailment {
	return []ailment{
		{name: "the rights of root", try: d.root, mend: "sudo fargo doctor"},
		{name: "control groups for CPU and memory", try: d.cgroups, mend: "mount -t cgroup2 none /sys/fs/cgroup"},
		{name: "network namespaces, veth pairs and nftables", try: d.network, mend: "modprobe -a veth nf_tables nft_ct nft_nat nft_masq"},
		{name: "containers", try: d.containers, mend: "see the message; it is containerd's own"},
		{name: "the overlay file system", try: d.overlay, mend: "modprobe overlay", optional: true},
		{name: "a free port at " + listen, try: func(ctx context.Context) error { return d.port(ctx, listen) }, mend: "fargo up --listen 127.0.0.1:4567"},
		{name: "the aws command", try: d.client, mend: "apt-get install awscli", optional: true},
	}
}

func (doctor) root(context.Context) error {
	if uid := os.Geteuid(); uid != 0 {
		return fmt.Errorf("the user id is %d", uid)
	}
	return nil
}

func (d doctor) kernel() kernel.Config { return kernel.Config{Instance: d.instance} }

// cgroups makes and removes a task's group.
func (d doctor) cgroups(ctx context.Context) error {
	groups, err := kernel.NewCgroups(d.kernel())
	if err != nil {
		return err
	}
	err = groups.Set(ctx, []fargo.TaskCgroup{{TaskID: "doctor", CPU: 256, Memory: 512}})
	return errors.Join(err, groups.Purge(ctx))
}

// network makes and removes a VPC with an interface. Its addresses are of the
// block that is kept for documentation (RFC 5737), so that nobody's are in the
// way.
func (d doctor) network(ctx context.Context) error {
	network, err := kernel.NewNetwork(d.kernel())
	if err != nil {
		return err
	}
	block := netip.MustParsePrefix("192.0.2.0/24")
	member := netip.MustParseAddr("192.0.2.5")
	err = network.Set(ctx, fargo.NodeNetwork{
		VPCs: []fargo.VPC{{ID: "vpc-doctor", CIDRs: []netip.Prefix{block}, Groups: []fargo.SecurityGroup{{
			ID: "sg-doctor", Members: []netip.Addr{member},
			Ingress: []fargo.Rule{{Protocol: "-1", Group: "sg-doctor"}},
		}}}},
		Interfaces: []fargo.Interface{{
			ID: "eni-doctor", VPC: "vpc-doctor", Prefix: block, Address: member,
			MAC: "02:00:c0:00:02:05", Groups: []string{"sg-doctor"},
		}},
	})
	return errors.Join(err, network.Purge(ctx), os.RemoveAll(runtimeDir(d.instance)))
}

// containers starts and stops a containerd.
func (d doctor) containers(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "fargo-doctor-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir), os.RemoveAll(runtimeDir(d.instance))) }()
	programs, err := carried.Extract(dir)
	if err != nil {
		return err
	}
	daemon := containerd.Daemon{
		Binaries: programs,
		StateDir: runtimeDir(d.instance) + "/containerd",
		RootDir:  dir + "/containerd",
		Cgroup:   "/fargo-" + d.instance + "-containerd",
		Logger:   slog.New(slog.DiscardHandler),
	}
	_, err = daemon.Ensure(ctx)
	return errors.Join(err, daemon.Stop(ctx))
}

// overlay is what containerd wants to lay an image's layers over each other
// with. Without it every container gets a copy of its image.
func (doctor) overlay(context.Context) error {
	b, err := os.ReadFile("/proc/filesystems")
	if err != nil {
		return err
	}
	if !strings.Contains(string(b), "\toverlay\n") {
		return errors.New("the kernel does not know it; containers start slower without")
	}
	return nil
}

func (doctor) port(ctx context.Context, address string) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return l.Close()
}

func (doctor) client(context.Context) error {
	_, err := exec.LookPath("aws")
	return err
}
