package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"

	"fargo/containerd/carried"
	"fargo/instance"
	"fargo/kernel"
)

// doctorCommand checks that a machine has what Fargo needs. It tries each thing, and
// removes what it made.
type doctorCommand struct {
	tlsFlags
	Listen string `default:"${listen}" help:"The address that up would listen on (${default})." placeholder:"ADDR"`
}

// check is something to try, and the command that helps when it fails.
type check struct {
	name string
	try  func(context.Context) error
	fix  string
	// optional: Fargo works without, if less well.
	optional bool
}

// Run prints what is missing and how to get it, and fails when Fargo cannot work
// without it.
func (c *doctorCommand) Run(ctx context.Context, std *stdio) error {
	missing := 0
	for _, problem := range kernel.Check() {
		missing++
		fmt.Fprintf(std.out, "missing  %s: %s\n         try: %s\n", problem.What, problem.Why, problem.Fix)
	}
	if missing == 0 {
		fmt.Fprintln(std.out, "ok       control groups, network namespaces, nftables")
	}
	ephemeralStorage := kernel.CheckSharedLimits()
	for _, problem := range ephemeralStorage {
		fmt.Fprintf(std.out, "better   %s: %s\n         try: %s\n", problem.What, problem.Why, problem.Fix)
	}
	if len(ephemeralStorage) == 0 {
		fmt.Fprintln(std.out, "ok       room for a thousand tasks in what the kernel shares among all")
	}
	for _, check := range c.checks() {
		err := check.try(ctx)
		switch {
		case err == nil:
			fmt.Fprintf(std.out, "ok       %s\n", check.name)
			continue
		case check.optional:
			fmt.Fprintf(std.out, "better   %s: %v\n", check.name, err)
		default:
			missing++
			fmt.Fprintf(std.out, "missing  %s: %v\n", check.name, err)
		}
		fmt.Fprintf(std.out, "         try: %s\n", check.fix)
	}
	if missing > 0 {
		return fmt.Errorf("this machine lacks %d of the things Fargo needs", missing)
	}
	return nil
}

func (c *doctorCommand) checks() []check {
	return []check{
		{name: "containers", try: tryContainerd, fix: "sudo fargo doctor, or see containerd's message"},
		{name: "the overlay file system", try: tryOverlay, fix: "modprobe overlay", optional: true},
		{name: "storage of a size for each task (mkfs.ext4, loop devices)", try: func(context.Context) error { return kernel.CheckStorage() }, fix: "apt-get install e2fsprogs; modprobe loop", optional: true},
		{name: "EBS volumes with xfs (mkfs.xfs, loop devices)", try: func(context.Context) error { return kernel.CheckVolumes("xfs") }, fix: "apt-get install xfsprogs; modprobe loop", optional: true},
		{name: "a free port at " + c.Listen, try: c.tryPort, fix: "fargo up --listen 127.0.0.1:4567"},
		{name: "privacy of the APIs at " + c.Listen, try: c.tryTLS, fix: "fargo up --tls --listen " + c.Listen, optional: true},
		{name: "the aws command", try: tryClient, fix: "apt-get install awscli", optional: true},
		{name: "what aws ecs execute-command calls (" + pluginName + ")", try: tryPlugin, fix: linkPlugin(), optional: true},
	}
}

// tryContainerd starts and stops a containerd.
func tryContainerd(ctx context.Context) (err error) {
	root, err := os.MkdirTemp("", "fargo-doctor-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(root)) }()
	inst, err := instance.New(root)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(inst.RuntimeDir())) }()
	programs, err := carried.Extract(inst.ProgramsDir())
	if err != nil {
		return err
	}
	daemon := ownContainerd(inst, programs, slog.New(slog.DiscardHandler))
	if _, err := daemon.Ensure(ctx); err != nil {
		return err
	}
	return daemon.Stop(ctx)
}

// tryOverlay finds out whether the kernel has overlayfs, by which containers share
// the layers of an image. Without it every container gets a copy.
func tryOverlay(context.Context) error {
	b, err := os.ReadFile("/proc/filesystems")
	if err != nil {
		return err
	}
	if !strings.Contains(string(b), "\toverlay\n") {
		return errors.New("the kernel does not know it; containers take longer to start without")
	}
	return nil
}

func (c *doctorCommand) tryPort(ctx context.Context) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return err
	}
	return l.Close()
}

// tryTLS finds out whether anybody on the way can read what clients of other machines send.
func (c *doctorCommand) tryTLS(context.Context) error {
	at, err := net.ResolveTCPAddr("tcp", c.Listen)
	if err != nil || c.scheme() == "https" || !isPublic(at) {
		return err
	}
	return errors.New("other machines can reach it, and what they send and get is not encrypted")
}

// tryPlugin looks for AWS's plugin, or a link to us.
func tryPlugin(context.Context) error {
	_, err := exec.LookPath(pluginName)
	return err
}

// linkPlugin is the command that makes us the plugin.
func linkPlugin() string {
	program, err := os.Executable()
	if err != nil {
		program = "fargo"
	}
	return "ln -s " + program + " /usr/local/bin/" + pluginName
}

func tryClient(context.Context) error {
	_, err := exec.LookPath("aws")
	return err
}
