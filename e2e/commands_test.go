//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

type (
	installationKey struct{}
	clientKey       struct{}
)

// commands are what scripts can do beside testscript's own; doc.go lists them.
var commands = map[string]func(*testscript.TestScript, bool, []string){
	"aws":        awsCommand,
	"run":        runCommand,
	"up":         upCommand,
	"down":       downCommand,
	"signal":     signalCommand,
	"sigkill":    killCommand,
	"eventually": eventuallyCommand,
	"matches":    matchesCommand,
	"capture":    captureCommand,
	"registry":   registryCommand,
}

func installationOf(ts *testscript.TestScript) *installation {
	return ts.Value(installationKey{}).(*installation)
}

// argv is the command line for a command of a script that starts a process.
func argv(ts *testscript.TestScript, args []string) []string {
	if len(args) == 0 {
		ts.Fatalf("no command")
	}
	switch args[0] {
	case "exec":
		return args[1:]
	case "aws":
		return append(awsArgv(ts), args[1:]...)
	case "run":
		if len(args) < 2 {
			ts.Fatalf("usage: run file [arg...]")
		}
		const script = `eval "$(fargo env)"; file=$1; shift; set -euo pipefail; . "$file"`
		return append([]string{"bash", "-c", script, "bash", ts.MkAbs(args[1])}, args[2:]...)
	}
	ts.Fatalf("%q cannot be used here: write exec, aws or run before it", args[0])
	return nil
}

// awsArgv is the client and, where it needs one, the flag that fargo env would add. The variables are set once.
func awsArgv(ts *testscript.TestScript) []string {
	in := installationOf(ts)
	if ts.Getenv("AWS_ENDPOINT_URL") == "" {
		out, err := exec.Command(in.binary, "env", "--data-dir", in.data).Output()
		if err != nil {
			ts.Fatalf("fargo env: %v", err)
		}
		for line := range strings.Lines(string(out)) {
			if v, ok := strings.CutPrefix(strings.TrimSpace(line), "export AWS_"); ok {
				name, value, _ := strings.Cut(v, "=")
				ts.Setenv("AWS_"+name, strings.Trim(value, "'"))
			}
		}
	}
	if ts.Value(clientKey{}).(client).needsFlag {
		return []string{"aws", "--endpoint-url", in.url}
	}
	return []string{"aws"}
}

// execute runs a command whose output the script can look at.
func execute(ts *testscript.TestScript, neg bool, command []string) {
	err := ts.Exec(command[0], command[1:]...)
	if neg && err == nil {
		ts.Fatalf("unexpected success")
	}
	if !neg && err != nil {
		ts.Fatalf("%s: %v", command[0], err)
	}
}

func awsCommand(ts *testscript.TestScript, neg bool, args []string) {
	execute(ts, neg, argv(ts, append([]string{"aws"}, args...)))
}

func runCommand(ts *testscript.TestScript, neg bool, args []string) {
	execute(ts, neg, argv(ts, append([]string{"run"}, args...)))
}

func upCommand(ts *testscript.TestScript, neg bool, args []string) {
	check(ts, neg, installationOf(ts).up(args...))
}

func downCommand(ts *testscript.TestScript, neg bool, args []string) {
	in := installationOf(ts)
	out, err := in.down(args...)
	ts.Logf("%s", out)
	check(ts, neg, err)
	check(ts, false, in.reap())
}

func signalCommand(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT}
	if len(args) != 1 || signals[args[0]] == 0 {
		ts.Fatalf("usage: signal TERM|INT")
	}
	check(ts, neg, installationOf(ts).signal(signals[args[0]]))
}

func killCommand(ts *testscript.TestScript, neg bool, args []string) {
	check(ts, neg, installationOf(ts).kill(args...))
}

func check(ts *testscript.TestScript, neg bool, err error) {
	if neg && err == nil {
		ts.Fatalf("unexpected success")
	}
	if !neg {
		ts.Check(err)
	}
}

// interval is the pause between two attempts of eventually.
const interval = 200 * time.Millisecond

func eventuallyCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: eventually deadline command...")
	}
	deadline, err := time.ParseDuration(args[0])
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	attempt := attempts(ts, args[1:])
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		err := attempt()
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			ts.Fatalf("not within %s: %v", deadline, err)
		}
	}
}

// attempts returns a function that tries a command once.
func attempts(ts *testscript.TestScript, args []string) func() error {
	if args[0] == "matches" {
		return matching(ts, args[1:])
	}
	negated := args[0] == "!"
	if negated {
		args = args[1:]
	}
	command := argv(ts, args)
	return func() error {
		err := ts.Exec(command[0], command[1:]...)
		if negated && err == nil {
			return fmt.Errorf("%s succeeds", strings.Join(args, " "))
		}
		if negated {
			return nil
		}
		return err
	}
}

func matchesCommand(ts *testscript.TestScript, neg bool, args []string) {
	check(ts, neg, matching(ts, args)())
}

// matching returns a function that tries whether a command's output matches.
func matching(ts *testscript.TestScript, args []string) func() error {
	if len(args) < 2 {
		ts.Fatalf("usage: matches regexp command...")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	command := argv(ts, args[1:])
	return func() error {
		if err := ts.Exec(command[0], command[1:]...); err != nil {
			return err
		}
		if out := ts.ReadFile("stdout"); !pattern.MatchString(out) {
			return fmt.Errorf("%q does not match %s", out, args[0])
		}
		return nil
	}
}

func captureCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: capture name command...")
	}
	command := argv(ts, args[1:])
	execute(ts, false, command)
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}
