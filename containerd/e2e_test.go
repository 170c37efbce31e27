//go:build e2e

package containerd_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"fargo/containerd"
	"fargo/containerd/carried"
	"fargo/containerd/confined"
	"fargo/desired"
	"fargo/host"
)

const deadline = 30 * time.Second

// A testDaemon is a daemon of the tests' own, a runtime on it, and a registry.
type testDaemon struct {
	daemon  *containerd.Daemon
	config  containerd.Config
	runtime *containerd.Runtime
	app     string // the program that containers run
	image   string // in the registry
	digest  string
}

var tests testDaemon

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "image" {
		if err := confined.Serve(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) == 5 && os.Args[1] == "ensure" {
		daemon := containerd.Daemon{
			StateDir: os.Args[2], RootDir: os.Args[3], Binaries: carried.Binaries{Containerd: os.Args[4]}, Logger: slog.Default(),
		}
		if _, err := daemon.Ensure(context.Background()); err != nil {
			os.Exit(1)
		}
		return
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if os.Getuid() != 0 {
		return 0, errors.New("these tests need root")
	}
	dir, err := os.MkdirTemp("", "fargo-containerd-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	binaries, err := carried.Extract(filepath.Join(dir, "bin"))
	if err != nil {
		return 0, err
	}
	state, err := os.MkdirTemp("/run", "fargo-test-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(state)
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	tests.daemon = &containerd.Daemon{
		Binaries: binaries, StateDir: filepath.Join(state, "c"), RootDir: filepath.Join(dir, "root"),
		Cgroup: "/fargo-test-containerd", Logger: logger,
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	address, err := tests.daemon.Ensure(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, tearDown(context.Background())) }()
	loopback, err := containerd.ParseHostPattern("127.0.0.0/8")
	if err != nil {
		return 0, err
	}
	tests.config = containerd.Config{
		Address: address, Namespace: "test", StateDir: tests.daemon.StateDir, MemoryDir: filepath.Join(state, "m"), SourcesDir: filepath.Join(state, "sources"), Binaries: binaries,
		Cgroup: tests.daemon.Cgroup, Logger: logger, Helper: []string{"/proc/self/exe", "image"},
		// The tests' registries are on this machine.
		Registries: containerd.Registries{Allow: []containerd.HostPattern{loopback}},
	}
	tests.runtime, err = containerd.New(tests.config)
	if err != nil {
		return 0, err
	}

	ended := make(chan error, 2)
	go func() { ended <- tests.daemon.Run(ctx) }()
	go func() { ended <- tests.runtime.Run(ctx) }()
	defer func() { cancel(); err = errors.Join(err, <-ended, <-ended) }()

	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	app, err := buildApp(dir)
	if err != nil {
		return 0, err
	}
	tests.app = filepath.Join(dir, "app")
	tests.image = strings.TrimPrefix(server.URL, "http://") + "/app:latest"
	if err := push(tests.image, app, v1.Config{
		Entrypoint: []string{"/app"}, Cmd: []string{"idle"}, Env: []string{"FROM=image", "BOTH=image"}, WorkingDir: "/work",
	}); err != nil {
		return 0, err
	}
	pulled, err := tests.runtime.Pull(ctx, tests.image, desired.PullSource{}, nil)
	if err != nil {
		return 0, err
	}
	tests.digest = pulled.Digest
	return m.Run(), nil
}

// tearDown leaves nothing, whatever failed.
func tearDown(ctx context.Context) error {
	left, err := tests.runtime.List(ctx)
	for _, container := range left {
		err = errors.Join(err, tests.runtime.Remove(ctx, container.ID))
	}
	return errors.Join(err, tests.runtime.Close(), tests.daemon.Stop(ctx), removeGroups())
}

// removeGroups removes the control groups above those of the containers, which
// in Fargo are package kernel's to make and remove.
func removeGroups() error {
	groups, err := filepath.Glob("/sys/fs/cgroup/*/fargo-test/shared")
	if err != nil {
		return err
	}
	tops, err := filepath.Glob("/sys/fs/cgroup/*/fargo-test")
	if err != nil {
		return err
	}
	for _, group := range append(groups, tops...) {
		err = errors.Join(err, syscall.Rmdir(group))
	}
	return err
}

func buildApp(dir string) ([]byte, error) {
	path := filepath.Join(dir, "app")
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", path, "./testdata/app")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build app: %w: %s", err, output)
	}
	return os.ReadFile(path)
}

// push makes an image of the program and some files, and puts it into the
// registry that ref names.
func push(ref string, app []byte, config v1.Config) error {
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	for _, f := range []struct {
		name    string
		mode    int64
		uid     int
		content []byte
	}{
		{"app", 0o755, 0, app},
		{"etc/passwd", 0o644, 0, []byte("root:x:0:0::/root:/bin/sh\nana:x:1000:100::/home/ana:/bin/sh\n")},
		{"etc/group", 0o644, 0, []byte("root:x:0:\nusers:x:100:\nextra:x:2000:ana\n")},
		{"data/seed", 0o640, 1000, []byte("planted\n")},
	} {
		header := &tar.Header{Name: f.name, Mode: f.mode, Uid: f.uid, Size: int64(len(f.content)), Typeflag: tar.TypeReg}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		if _, err := w.Write(f.content); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	content, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(layer.Bytes())), nil
	})
	if err != nil {
		return err
	}
	image, err := mutate.AppendLayers(empty.Image, content)
	if err != nil {
		return err
	}
	file, err := image.ConfigFile()
	if err != nil {
		return err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Config = "linux", "amd64", config
	if image, err = mutate.ConfigFile(image, file); err != nil {
		return err
	}
	target, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		return err
	}
	return remote.Write(target, image)
}

// spec is a container of a task of its own, which the test's end removes.
func spec(t testing.TB, args ...string) host.ContainerSpec {
	t.Helper()
	return specOf(t, strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name())), args...)
}

// specOf is spec for a container of this id.
func specOf(t testing.TB, id string, args ...string) host.ContainerSpec {
	t.Helper()
	s := host.ContainerSpec{
		ID: id, TaskID: "task-" + id, ImageDigest: tests.digest, Hostname: "box",
		CgroupPath: "/fargo-test/" + id,
		LogPath:    filepath.Join(t.TempDir(), "log"),
		ContainerAssignment: desired.ContainerAssignment{
			Name: "main", RuntimeID: id, Image: tests.image, Command: args,
		},
	}
	t.Cleanup(func() {
		if err := tests.runtime.Remove(context.Background(), id); err != nil {
			t.Error(err)
		}
	})
	return s
}

func start(t testing.TB, s host.ContainerSpec) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	if err := tests.runtime.Create(ctx, s); err != nil {
		t.Fatal(err)
	}
	if err := tests.runtime.Start(ctx, s.ID); err != nil {
		t.Fatal(err)
	}
}

// until waits for a condition on a container, looking whenever something
// happened to any.
func until(t testing.TB, id, want string, is func(host.ContainerState) bool) host.ContainerState {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	var last host.ContainerState
	for range tests.runtime.Events(ctx) {
		state, err := tests.runtime.Inspect(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if last = state; is(state) {
			return state
		}
	}
	t.Fatalf("%s: not %s in time: %+v", id, want, last)
	return last
}

func ended(t testing.TB, id string) host.ContainerState {
	t.Helper()
	return until(t, id, "ended", func(s host.ContainerState) bool { return s.State == host.RunStopped })
}

// ready waits until the container's log has the text.
func ready(t testing.TB, s host.ContainerSpec, text string) string {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < deadline; time.Sleep(time.Millisecond) {
		if log, err := os.ReadFile(s.LogPath); err == nil && strings.Contains(string(log), text) {
			return string(log)
		}
	}
	log, err := os.ReadFile(s.LogPath)
	t.Fatalf("%q is not in the log in time: %q, %v", text, log, err)
	return ""
}
