//go:build e2e

package containerd_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"fargo/desired"
	"fargo/host"
)

const (
	manifestType = ocispec.MediaTypeImageManifest
	indexType    = ocispec.MediaTypeImageIndex
	layerType    = ocispec.MediaTypeImageLayerGzip
)

// runs is the least that an image needs to be made a container of.
var runs = object{"Cmd": []string{"/none"}}

// hostile is one image that nobody should trust.
type hostile struct {
	name  string
	build func(t *testing.T, m *hostileRegistry)
	room  int64 // desired.PullSource.Room
	user  string
	// What Pull says, and, when it says nothing, Create; empty for success.
	pull, create string
}

const outside = "/tmp/fargo-test-outside" // must never come to be

// accounts is an image whose /etc/passwd is what fill makes it.
func accounts(fill func(*testing.T, *tar.Writer)) func(*testing.T, *hostileRegistry) {
	return func(t *testing.T, m *hostileRegistry) {
		m.serve(t, runs, m.layer(t, func(w *tar.Writer) { fill(t, w) }))
	}
}

func single(h tar.Header) func(*testing.T, *hostileRegistry) {
	return accounts(func(t *testing.T, w *tar.Writer) { put(t, w, h) })
}

// manifest is an image whose manifest is what fill makes of an honest one.
func manifest(fill func(t *testing.T, m *hostileRegistry, honest object)) func(*testing.T, *hostileRegistry) {
	return func(t *testing.T, m *hostileRegistry) {
		m.serve(t, runs, m.layer(t, func(w *tar.Writer) { put(t, w, tar.Header{Name: "a"}) }))
		var honest object
		if err := json.Unmarshal(m.blobs[m.tag.Digest.String()], &honest); err != nil {
			t.Fatal(err)
		}
		fill(t, m, honest)
		m.tag = m.addJSON(t, manifestType, honest)
	}
}

// document is an image that is nothing but a manifest of this text.
func document(kind, text string) func(*testing.T, *hostileRegistry) {
	return func(_ *testing.T, m *hostileRegistry) { m.tag = m.add(kind, []byte(text)) }
}

// config is an image whose configuration is what it says.
func config(c object) func(*testing.T, *hostileRegistry) {
	return func(t *testing.T, m *hostileRegistry) {
		m.serve(t, c, m.layer(t, func(w *tar.Writer) { put(t, w, tar.Header{Name: "a", Mode: 0o755}) }))
	}
}

var hostiles = []hostile{
	// What a container's users are looked up in.
	{
		name: "passwd is a device", pull: "/etc/passwd in the image is a device",
		build: single(tar.Header{Name: "etc/passwd", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 5}),
	},
	{
		name: "passwd is a FIFO", pull: "/etc/passwd in the image is a FIFO",
		build: single(tar.Header{Name: "etc/passwd", Typeflag: tar.TypeFifo}),
	},
	{
		name: "passwd is a directory", pull: "/etc/passwd in the image is a directory",
		build: single(tar.Header{Name: "etc/passwd/", Typeflag: tar.TypeDir, Mode: 0o755}),
	},
	{
		name: "passwd is huge", pull: "/etc/passwd in the image is larger than 1024 KiB",
		build: accounts(func(t *testing.T, w *tar.Writer) { zeros(t, w, "etc/passwd", 300<<20) }),
	},
	{
		name: "passwd leads to itself", pull: "/etc/passwd in the image is a link that leads to itself",
		build: single(tar.Header{Name: "etc/passwd", Typeflag: tar.TypeSymlink, Linkname: "passwd"}),
	},
	{
		name: "passwd leads to a device", pull: "/etc/passwd in the image is a device",
		build: accounts(func(t *testing.T, w *tar.Writer) {
			put(t, w, tar.Header{Name: "zero", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 5})
			put(t, w, tar.Header{Name: "etc/passwd", Typeflag: tar.TypeSymlink, Linkname: "../../../../zero"})
		}),
	},
	{
		name: "passwd leads out", user: "root-of-the-machine", create: "unable to find user",
		build: single(tar.Header{Name: "etc/passwd", Typeflag: tar.TypeSymlink, Linkname: "/../../.." + accountsOutside}),
	},
	{
		name: "group is a device", pull: "/etc/group in the image is a device",
		build: single(tar.Header{Name: "etc/group", Typeflag: tar.TypeBlock, Devmajor: 7, Devminor: 0}),
	},
	{name: "etc is a file", user: "ana", create: "unable to find user", build: single(tar.Header{Name: "etc"})},
	{name: "passwd is one line", user: "ana", create: "token too long", build: accounts(func(t *testing.T, w *tar.Writer) { zeros(t, w, "etc/passwd", 1<<20) })},

	// What layers unpack to.
	{name: "names lead out", create: "/none", build: single(tar.Header{Name: "../../../../../../.." + outside})},
	{name: "a link leads out", create: "/none", build: accounts(func(t *testing.T, w *tar.Writer) {
		put(t, w, tar.Header{Name: "d", Typeflag: tar.TypeSymlink, Linkname: "/tmp"})
		put(t, w, tar.Header{Name: "d/" + filepath.Base(outside)})
	})},
	{name: "a hard link leads out", pull: "no such file", build: single(tar.Header{Name: "a", Typeflag: tar.TypeLink, Linkname: "../../../../../../.." + accountsOutside})},
	{name: "a whiteout of the root", pull: "whiteout", build: single(tar.Header{Name: ".wh.."})},
	{name: "a whiteout of what is above", pull: "whiteout", build: single(tar.Header{Name: "a/.wh..."})},
	{
		name: "a bomb", room: 64 << 20, pull: "no space left on device",
		build: accounts(func(t *testing.T, w *tar.Writer) { zeros(t, w, "bomb", 256<<20) }),
	},
	{
		name: "two halves of a bomb", room: 64 << 20, pull: "no space left on device",
		build: func(t *testing.T, m *hostileRegistry) {
			half := func(name string) layer { return m.layer(t, func(w *tar.Writer) { zeros(t, w, name, 40<<20) }) }
			m.serve(t, runs, half("a"), half("b"))
		},
	},
	{
		name: "a bomb behind the archive", room: 64 << 20, pull: "no space left on device",
		build: func(t *testing.T, m *hostileRegistry) {
			m.serve(t, runs, m.rawLayer(t, func(w io.Writer) { _, _ = io.CopyN(w, zeroReader{}, 256<<20) }))
		},
	},
	{
		name: "a hole of eight terabytes", pull: "no space left on device",
		build: func(t *testing.T, m *hostileRegistry) {
			m.serve(t, runs, m.rawLayer(t, func(w io.Writer) { _, _ = w.Write(hole(8 << 40)) }))
		},
	},
	{
		name: "a negative size", pull: "invalid tar header",
		build: func(t *testing.T, m *hostileRegistry) {
			m.serve(t, runs, m.rawLayer(t, func(w io.Writer) { _, _ = w.Write(negative()) }))
		},
	},
	{
		name: "a name without end", pull: "header field too long",
		build: func(t *testing.T, m *hostileRegistry) {
			m.serve(t, runs, m.rawLayer(t, func(w io.Writer) {
				block := make([]byte, 512)
				copy(block, "././@LongLink")
				tarNumber(block[124:136], 1<<40)
				seal(block, 'L', "ustar  \x00")
				_, _ = w.Write(block)
				_, _ = io.CopyN(w, zeroReader{}, 64<<20)
			}))
		},
	},
	{name: "noise", pull: "unexpected EOF", build: func(t *testing.T, m *hostileRegistry) {
		m.serve(t, runs, m.rawLayer(t, func(w io.Writer) { _, _ = w.Write(bytes.Repeat([]byte("noise"), 100)) }))
	}},
	{name: "half a layer", pull: "unexpected EOF", build: func(t *testing.T, m *hostileRegistry) {
		whole := m.layer(t, func(w *tar.Writer) { put(t, w, tar.Header{Name: "a"}, bytes.Repeat([]byte("abc"), 1<<16)...) })
		blob := m.blobs[whole.Digest.String()]
		m.serve(t, runs, layer{m.add(layerType, blob[:len(blob)/2]), whole.diffID})
	}},
	{name: "a window of memory", pull: "window size exceeded", build: func(t *testing.T, m *hostileRegistry) {
		frame := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8, 0x01, 0x00, 0x00}
		m.serve(t, runs, layer{m.add(ocispec.MediaTypeImageLayerZstd, frame), describe("", nil).Digest.String()})
	}},
	{name: "another layer than the configuration says", pull: "wrong diff id", build: func(t *testing.T, m *hostileRegistry) {
		l := m.layer(t, func(w *tar.Writer) { put(t, w, tar.Header{Name: "a"}) })
		m.serve(t, runs, layer{l.Descriptor, describe("", nil).Digest.String()})
	}},
	{name: "more than was announced", pull: "read past expected size", build: func(t *testing.T, m *hostileRegistry) {
		config(runs)(t, m)
		m.inflate = 1 << 20
	}},
	{name: "an answer to be decompressed", pull: "which nobody asked for", build: func(t *testing.T, m *hostileRegistry) {
		config(runs)(t, m)
		m.encoding = "zstd"
	}},

	// What manifests and indexes say.
	{name: "a wrong digest", pull: "unexpected commit digest", build: func(t *testing.T, m *hostileRegistry) {
		config(object{"Cmd": []string{"/a"}, "Labels": object{"only": "here"}})(t, m)
		m.blobs[m.tag.Digest.String()] = []byte(strings.Replace(string(m.blobs[m.tag.Digest.String()]), "schemaVersion", "schemaversion", 1))
	}},
	{name: "a manifest of five megabytes", pull: "is larger than 4 MiB", build: document(manifestType, `{"x":"`+strings.Repeat("x", 5<<20)+`"}`)},
	{name: "a million layers", pull: "more than 50000 elements", build: document(manifestType, `{"layers":[`+strings.Repeat("{},", 1_300_000)+`{}]}`)},
	{name: "ten thousand layers", pull: "max depth exceeded", build: manifest(func(_ *testing.T, m *hostileRegistry, honest object) {
		l := honest["layers"].([]any)[0].(object)
		var all []any
		for range 10_000 {
			all = append(all, object{"mediaType": layerType, "digest": l["digest"], "size": 1})
		}
		honest["layers"] = all
	})},
	{name: "a million manifests", pull: "more than 50000 elements", build: document(indexType, `{"manifests":[`+strings.Repeat("{},", 1_300_000)+`{}]}`)},
	{name: "indexes in indexes", pull: "indexes lead to a manifest", build: func(t *testing.T, m *hostileRegistry) {
		config(runs)(t, m)
		for range 20 {
			m.tag = m.addJSON(t, indexType, object{"mediaType": indexType, "manifests": []any{m.tag}})
		}
	}},
	{name: "an index of itself", pull: "unexpected commit digest", build: func(t *testing.T, m *hostileRegistry) {
		itself := object{"mediaType": indexType, "digest": describe("", []byte("x")).Digest, "size": 300}
		m.tag = m.addJSON(t, indexType, object{"manifests": []any{itself}})
		m.blobs[describe("", []byte("x")).Digest.String()] = append(m.blobs[m.tag.Digest.String()], bytes.Repeat([]byte(" "), 300)...)[:300]
	}},
	{name: "both index and manifest", pull: "both an index and a manifest", build: manifest(func(_ *testing.T, m *hostileRegistry, honest object) {
		honest["manifests"] = []any{m.tag}
	})},
	{name: "neither", pull: "no layers", build: document(manifestType, `{}`)},
	{name: "null", pull: "no layers", build: document(manifestType, `null`)},
	{name: "null layers", pull: "layer \"\"", build: document(manifestType, `{"layers":[null],"config":null}`)},
	{name: "no JSON", pull: "cannot be read", build: document(manifestType, `{"layers":`)},
	{name: "deep JSON", pull: "cannot be read", build: document(manifestType, strings.Repeat("[", 1<<20))},
	{name: "numbers where words belong", pull: "cannot be read", build: document(manifestType, `{"layers":[{"digest":7}]}`)},
	{name: "a digest that is a path", pull: "layer \"../../x\"", build: document(manifestType, `{"layers":[{"digest":"../../x"}]}`)},
	{name: "a configuration of ten gigabytes", pull: "is said to have 10737418240 bytes", build: manifest(func(_ *testing.T, _ *hostileRegistry, honest object) {
		honest["config"].(object)["size"] = 10 << 30
	})},
	{name: "a layer of less than nothing", pull: "is said to have -1 bytes", build: manifest(func(_ *testing.T, _ *hostileRegistry, honest object) {
		honest["layers"].([]any)[0].(object)["size"] = -1
	})},
	{name: "a layer of a petabyte", pull: "no space left on device", build: manifest(func(_ *testing.T, _ *hostileRegistry, honest object) {
		honest["layers"].([]any)[0].(object)["size"] = 1 << 50
	})},
	{name: "something else than an image", pull: "this is no container image", build: manifest(func(_ *testing.T, _ *hostileRegistry, honest object) {
		honest["config"].(object)["mediaType"] = "application/vnd.example.wasm"
	})},

	// What configurations say.
	{name: "a configuration of nulls", create: "no command specified", build: config(object{
		"Env": nil, "Cmd": nil, "Entrypoint": nil, "User": nil, "WorkingDir": nil, "Volumes": nil,
	})},
	{name: "no configuration", create: "no command specified", build: config(nil)},
	{name: "layers that the configuration does not know", pull: "its configuration speaks of 0", build: manifest(func(t *testing.T, m *hostileRegistry, honest object) {
		honest["config"] = m.add(ocispec.MediaTypeImageConfig, []byte(`{"config":{},"rootfs":null}`))
	})},
	{name: "a NUL in the entry point", create: "CannotCreateContainerError: command \"/a\\x00b\" contains a NUL", build: config(object{"Entrypoint": []string{"/a\x00b"}})},
	{name: "a NUL in the environment", create: "CannotCreateContainerError: environment \"A=\\x00\" contains a NUL", build: config(object{"Cmd": []string{"/a"}, "Env": []string{"A=\x00"}})},
	{name: "a NUL in the directory", create: "contains a NUL", build: config(object{"Cmd": []string{"/a"}, "WorkingDir": "/\x00"})},
	{name: "an environment of a million", pull: "more than 50000 elements", build: config(object{"Cmd": []string{"/a"}, "Env": make([]string, 1_000_000)})},
	{name: "a user that is none", create: "unable to find user", build: config(object{"Cmd": []string{"/a"}, "User": "../../etc:-1"})},
	{name: "a user without end", create: "unable to find user", build: config(object{"Cmd": []string{"/a"}, "User": strings.Repeat("9", 1<<20)})},
}

// accountsOutside is a file of the machine that no image may get at.
const accountsOutside = "/run/fargo-test-accounts"

// Whatever an image holds, there is an error of ECS's kinds or a container, in
// time, at a bounded cost of memory, and nothing is left.
func TestHostileImages(t *testing.T) {
	if err := os.WriteFile(accountsOutside, []byte("root-of-the-machine:x:0:0::/:/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(accountsOutside)
	for _, c := range hostiles {
		t.Run(c.name, func(t *testing.T) {
			m := newHostileRegistry(t)
			c.build(t, m)
			costs := watchMemory(t, os.Getpid(), daemonPID(t))
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			defer cancel()
			img, err := tests.runtime.Pull(ctx, m.image(), desired.PullSource{Room: c.room}, nil)
			expect(t, err, "CannotPullContainerError: ", c.pull)
			if err == nil {
				s := spec(t)
				s.Image, s.ImageDigest, s.User = m.image(), img.Digest, c.user
				err := tests.runtime.Create(ctx, s)
				expect(t, err, "Cannot", c.create)
				if _, err := tests.runtime.Inspect(ctx, s.ID); c.create != "" && !errdefs.IsNotFound(err) {
					t.Errorf("left behind: %v", err)
				}
			}
			costs()
			nothingLeft(t)
			if _, err := os.Lstat(outside); err == nil {
				t.Error("a file outside of the image was made")
			}
		})
	}
}

func expect(t *testing.T, err error, prefix, text string) {
	t.Helper()
	switch {
	case text == "" && err != nil:
		t.Errorf("error = %v", err)
	case text != "" && (err == nil || !strings.HasPrefix(err.Error(), prefix) || !strings.Contains(err.Error(), text)):
		t.Errorf("error = %.2000v\nwant    %s … %s", err, prefix, text)
	}
}

// watchMemory begins to watch how much memory processes have at most, and
// returns what ends that and says what was too much.
func watchMemory(t *testing.T, pids ...int) (costs func()) {
	t.Helper()
	const most = 64 << 10 // KiB
	debug.FreeOSMemory()
	var before []int
	for _, pid := range pids {
		// Source: proc(5), /proc/pid/clear_refs.
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
			t.Fatal(err)
		}
		before = append(before, peak(t, pid))
	}
	return func() {
		t.Helper()
		for i, pid := range pids {
			if after := peak(t, pid); after > before[i]+most {
				t.Errorf("process %d took %d MiB", pid, (after-before[i])>>10)
			}
		}
	}
}

// peak is the most memory that a process has had since it was last asked, in KiB.
func peak(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	return number(t, strings.Fields(after)[0])
}

func number(t *testing.T, digits string) int {
	t.Helper()
	n, err := strconv.Atoi(digits)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// nothingLeft finds processes that read images, mounts, and snapshots of
// unfinished work.
func nothingLeft(t *testing.T) {
	t.Helper()
	if left := helpers(t); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(info)) {
		if strings.Contains(line, "containerd-mount") || strings.Contains(line, filepath.Dir(tests.daemon.StateDir)) {
			t.Errorf("a mount is left: %s", line)
		}
	}
	c, err := client.New(tests.daemon.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx := namespaces.WithNamespace(t.Context(), tests.config.Namespace)
	err = c.SnapshotService("overlayfs").Walk(ctx, func(_ context.Context, i snapshots.Info) error {
		if i.Kind != snapshots.KindCommitted {
			t.Errorf("snapshot %s is left", i.Name)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	leases, err := c.LeasesService().List(ctx)
	if err != nil || len(leases) > 0 {
		t.Errorf("leases are left: %v, %v", leases, err)
	}
}

// helpers are the processes that read images for this one.
func helpers(t *testing.T) (pids []int) {
	t.Helper()
	children, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range children {
		list, _ := os.ReadFile(file) // of a thread that may have ended
		for _, field := range strings.Fields(string(list)) {
			line, _ := os.ReadFile("/proc/" + field + "/cmdline")
			if strings.HasSuffix(string(line), "\x00image\x00") {
				pids = append(pids, number(t, field))
			}
		}
	}
	return pids
}

// Giving up ends what is going on, and not only the wait for it.
func TestUnpackingEndsWithItsPull(t *testing.T) {
	m := newHostileRegistry(t)
	accounts(func(t *testing.T, w *tar.Writer) { zeros(t, w, "large", 4<<30) })(t, m)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := tests.runtime.Pull(ctx, m.image(), desired.PullSource{}, nil)
		failed <- err
	}()
	for len(helpers(t)) == 0 {
		select {
		case err := <-failed:
			t.Fatal(err)
		default:
		}
	}
	cancel()
	if err := <-failed; err == nil {
		t.Error("no error")
	}
	nothingLeft(t)
}

// A layer that names other addresses does not make the node ask there.
func TestLayersComeFromTheirRegistry(t *testing.T) {
	var asked atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer elsewhere.Close()
	m := newHostileRegistry(t)
	manifest(func(_ *testing.T, _ *hostileRegistry, honest object) {
		for _, d := range []any{honest["layers"].([]any)[0], honest["config"]} {
			d.(object)["urls"] = []string{elsewhere.URL + "/metadata"}
		}
	})(t, m)
	if _, err := tests.runtime.Pull(t.Context(), m.image(), desired.PullSource{}, nil); err != nil {
		t.Error(err)
	}
	if asked.Load() > 0 {
		t.Error("asked elsewhere")
	}
}

// A volume is filled from an image with files that cannot be copied by reading
// them.
func TestVolumeIsFilledFromAHostileImage(t *testing.T) {
	m := newHostileRegistry(t)
	accounts(func(t *testing.T, w *tar.Writer) {
		put(t, w, tar.Header{Name: "data/fifo", Typeflag: tar.TypeFifo})
		put(t, w, tar.Header{Name: "data/zero", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 5})
		put(t, w, tar.Header{Name: "data/out", Typeflag: tar.TypeSymlink, Linkname: accountsOutside})
		put(t, w, tar.Header{Name: "loop", Typeflag: tar.TypeSymlink, Linkname: "loop"})
		put(t, w, tar.Header{Name: "device", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 5})
	})(t, m)
	img, err := tests.runtime.Pull(t.Context(), m.image(), desired.PullSource{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]string{"/data": "/none", "/device": "not a directory", "/loop": "a link that leads to itself"} {
		s := spec(t)
		s.Image, s.ImageDigest = m.image(), img.Digest
		volume := t.TempDir()
		s.Mounts = []host.Mount{{Source: volume, Target: target, CopyUp: true}}
		err := tests.runtime.Create(t.Context(), s)
		expect(t, err, "Cannot", want)
		if link, err := os.Readlink(filepath.Join(volume, "out")); target == "/data" && link != accountsOutside {
			t.Errorf("%q, %v", link, err)
		}
	}
	nothingLeft(t)
}

// An image cannot make its tasks unstoppable.
func TestStopSignalThatIsNone(t *testing.T) {
	app, err := os.ReadFile(tests.app)
	if err != nil {
		t.Fatal(err)
	}
	m := newHostileRegistry(t)
	program := m.layer(t, func(w *tar.Writer) { put(t, w, tar.Header{Name: "app", Mode: 0o755}, app...) })
	for _, signal := range []string{"SIGNONSENSE", "999", "0", "-1", strings.Repeat("x", 1<<20)} {
		m.serve(t, object{"Entrypoint": []string{"/app"}, "StopSignal": signal}, program)
		img, err := tests.runtime.Pull(t.Context(), m.image(), desired.PullSource{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := spec(t, "idle")
		s.Image, s.ImageDigest = m.image(), img.Digest
		start(t, s)
		ready(t, s, "ready")
		if err := tests.runtime.Signal(t.Context(), s.ID, tests.runtime.StopSignal(t.Context(), s.ID)); err != nil {
			t.Fatal(err)
		}
		if state := ended(t, s.ID); state.ExitCode != 0 {
			t.Errorf("%+v", state)
		}
		if err := tests.runtime.Remove(t.Context(), s.ID); err != nil {
			t.Fatal(err)
		}
	}
}
