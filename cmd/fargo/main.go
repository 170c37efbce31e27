// Command fargo is Amazon ECS and Fargate on one's own machines. It has the flags, and
// constructs and connects the other packages; what they do is their own.
package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	_ "time/tzdata" // schedules have time zones, whatever the machine has

	"github.com/alecthomas/kong"

	"fargo"
	"fargo/registry"
)

// cli is the command line.
type cli struct {
	Up       upCommand       `cmd:"" help:"Run everything on this machine, in the foreground."`
	Down     downCommand     `cmd:"" help:"Stop every task and remove all that was made on this machine."`
	Env      envCommand      `cmd:"" help:"Print what a shell evaluates so that AWS clients find Fargo: eval \"$(fargo env)\"."`
	CA       caCommand       `cmd:"" name:"ca" help:"Print the certificate of the authority that issues what ACM is asked for, for trust stores."`
	Repair   repairCommand   `cmd:"" help:"Make what is damaged in a data directory anew, with all that can be read of it, keep a copy, and say what is lost."`
	Doctor   doctorCommand   `cmd:"" help:"Try what this machine can do, and say how to mend what it cannot."`
	Watch    watchCommand    `cmd:"" help:"Draw a service's deployments as they go."`
	Why      whyCommand      `cmd:"" help:"Say in plain words what a service waits for, and why it does not scale, deploy or stay up."`
	Top      topCommand      `cmd:"" help:"Show what services and tasks use, live, the busiest first."`
	Exec     execCommand     `cmd:"" help:"Run a command in a container of a running task, and exit with its status."`
	Tasks    tasksCommand    `cmd:"" help:"List tasks, or those that have stopped within days, and why."`
	Events   eventsCommand   `cmd:"" help:"Print the events of EventBridge's buses: what ECS has told, and what was put."`
	IAM      iamCommand      `cmd:"" name:"iam" help:"Ask what IAM's policies allow."`
	Coverage coverageCommand `cmd:"" help:"Print which operations and fields of the AWS APIs are implemented."`
	Version  versionCommand  `cmd:"" help:"Print the version."`
	Node     nodeCommand     `cmd:"" help:"Run this machine's data plane. fargo up starts it." hidden:""`
	Image    imageCommand    `cmd:"" help:"Read or unpack one image. fargo node starts it." hidden:""`
	Balancer balancerCommand `cmd:"" help:"Run one of this machine's load balancer processes. fargo node starts them." hidden:""`
}

// dataDir is the flag that names an instance.
type dataDir struct {
	DataDir string `default:"/var/lib/fargo" env:"FARGO_DATA_DIR" help:"Where everything is kept (${default})." placeholder:"DIR"`
}

// stdio is where a command writes: out is for programs to read, err for people.
type stdio struct {
	out, err io.Writer
}

func main() {
	std := &stdio{out: os.Stdout, err: os.Stderr}
	log := newLogger(os.Stderr)
	if calledAsPlugin(os.Args[0]) {
		runPlugin(context.Background(), os.Args[1:], std)
		return
	}
	registry.RouteLogs(log)
	parser := kong.Must(&cli{},
		kong.Name("fargo"),
		kong.Description("Amazon ECS and Fargate on your own machine."),
		kong.Vars{"listen": defaultListen, "region": fargo.DefaultRegion},
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(context.Background(), (*context.Context)(nil)),
		kong.Bind(std, log),
	)
	command, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(err)
	err = command.Run()
	if status := exitStatus(0); errors.As(err, &status) {
		os.Exit(int(status)) // the other command has said why
	}
	command.FatalIfErrorf(err)
}

// newLogger writes text to a terminal and JSON to anything else.
func newLogger(f *os.File) *slog.Logger {
	if isTerminal(f) {
		return slog.New(slog.NewTextHandler(f, nil))
	}
	return slog.New(slog.NewJSONHandler(f, nil))
}
