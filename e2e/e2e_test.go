//go:build e2e

package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes three scripts run at a time, whatever the machine: they mostly
// wait, each for an installation of its own.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "aws" {
		os.Exit(preloaded(os.Args[1:]))
	}
	flag.Parse()
	if err := flag.Set("test.parallel", "3"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// What make builds first.
const (
	binary       = "../bin/fargo"
	exampleImage = "../bin/example-image.tar"
	dockerTree   = "../build/docker"
	plugin       = "../bin/session-manager-plugin"
)

// library holds the shell scripts that several scripts run.
const library = "testdata/lib"

func TestClients(t *testing.T) {
	for _, c := range clients(t) {
		t.Run(c.name, func(t *testing.T) { runScripts(t, "testdata/clients", c) })
	}
}

func TestMachine(t *testing.T) {
	runScripts(t, "testdata/machine", clients(t)[0])
}

// TestRegistry pushes and pulls with common registry clients.
func TestRegistry(t *testing.T) {
	runScripts(t, "testdata/registry", clients(t)[0])
}

func runScripts(t *testing.T, dir string, c client) {
	paths := map[string]string{}
	for name, file := range map[string]string{"fargo": binary, "example image": exampleImage, "library": library, "Docker": dockerTree, "plugin": plugin} {
		path, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("no %s: run make build example-archive build/docker bin/session-manager-plugin: %v", name, err)
		}
		paths[name] = path
	}
	if os.Geteuid() != 0 {
		t.Fatal("these tests make namespaces, mounts and control groups: run them as root")
	}
	aws := preload(t, c)
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Cmds:                commands,
		Setup: func(env *testscript.Env) error {
			before, err := listMachine()
			if err != nil {
				return fmt.Errorf("looking at the machine: %w", err)
			}
			// Not in the script's directory: its path is long, and sockets are short.
			data, err := os.MkdirTemp("", "fargo-e2e-")
			if err != nil {
				return err
			}
			in := &installation{binary: paths["fargo"], data: data, logs: env.WorkDir}
			env.Defer(func() { tearDown(env.T().(testing.TB), in, before) })
			if err := in.up("--listen", "127.0.0.1:0"); err != nil {
				return err
			}
			bin := filepath.Join(env.WorkDir, ".bin")
			if err := os.Mkdir(bin, 0o755); err != nil {
				return err
			}
			for name, target := range map[string]string{"aws": aws, "fargo": in.binary, "session-manager-plugin": paths["plugin"]} {
				if err := os.Symlink(target, filepath.Join(bin, name)); err != nil {
					return err
				}
			}
			env.Setenv("PATH", strings.Join([]string{
				bin, os.Getenv("PATH"), paths["Docker"] + "/usr/bin", paths["Docker"] + "/usr/sbin",
			}, ":"))
			env.Setenv("FARGO_DATA_DIR", data)
			env.Setenv("DATA", data)
			env.Setenv("RUNDIR", in.runDir())
			env.Setenv("REGISTRY", in.address())
			env.Setenv("IMAGE", paths["example image"])
			env.Setenv("LIB", paths["library"])
			env.Setenv("TERRAFORM_MIRROR", terraformMirror())
			env.Setenv("AWS_PAGER", "")
			env.Values[installationKey{}] = in
			env.Values[clientKey{}] = c
			return nil
		},
	})
}

// force removes an installation that down has not removed, after killing all of it.
func (in *installation) force(t testing.TB) {
	for _, name := range []string{"control", "node", "containerd"} {
		if err := in.kill(name); err != nil {
			t.Logf("killing: %v", err)
		}
	}
	if out, err := in.down("--purge"); err != nil {
		t.Errorf("fargo down --purge after everything was killed: %v\n%s", err, out)
	}
}

// tearDown removes the installation and fails when something of it is left.
func tearDown(t testing.TB, in *installation, before machine) {
	if t.Failed() {
		in.printLogs(t)
	}
	if out, err := in.down("--purge"); err != nil {
		t.Errorf("fargo down --purge: %v\n%s", err, out)
		in.force(t)
	}
	in.reap()
	if _, err := os.Stat(in.data); err == nil {
		t.Errorf("fargo down --purge left %s", in.data)
	}
	after, err := listMachine()
	if err != nil {
		t.Fatalf("looking at the machine: %v", err)
	}
	for _, line := range after.since(before, in.id, in.data) {
		t.Errorf("left on the machine: %s", line)
	}
	for _, line := range before.since(after, in.id, in.data) {
		t.Errorf("taken from the machine: %s", line)
	}
}
