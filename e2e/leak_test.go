package e2e

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// machine is what could be left behind on a machine, as sorted lines of text. Each
// begins with what it is of: the command that printed it, "file", "mount", "cgroup"
// or "process".
type machine []string

// instanceName is in the names of all that an instance has on a machine: four
// hexadecimal digits, or "test" in the tests of single packages.
var instanceName = regexp.MustCompile(`\b(?:fargo-|fg)([0-9a-f]{4}|test)\b`)

// since gives the lines of m that are not in before and that the installation with
// this id and data directory is to answer for: those that carry its name, and, of
// the network's, those that carry no name at all, for Fargo might have made them.
// Other installations and other programs come and go meanwhile.
func (m machine) since(before machine, id, data string) []string {
	// Followed by a digit, it would be another's.
	dataName := regexp.MustCompile(regexp.QuoteMeta(data) + `\b`)
	var lines []string
	for _, line := range m {
		if _, found := slices.BinarySearch(before, line); found {
			continue
		}
		name := instanceName.FindStringSubmatch(line)
		switch {
		case name != nil && name[1] == id, dataName.MatchString(line):
			lines = append(lines, line)
		case name == nil && isNetwork(line):
			lines = append(lines, line)
		}
	}
	return lines
}

func isNetwork(line string) bool {
	return strings.HasPrefix(line, "ip: ") || strings.HasPrefix(line, "nft: ")
}

// TestSince looks for leaks while other installations come and go.
func TestSince(t *testing.T) {
	const data = "/tmp/fargo-e2e-12"
	for _, c := range []struct {
		line   string
		leaked bool
	}{
		{"ip: 7: fg1a2b-a9fe0000@if2: <BROADCAST>", true},
		{"ip: 8: fg3c4d-a9fe0002@if2: <BROADCAST>", false},
		{"ip: 9: fg1a2bc@if2: <BROADCAST>", true}, // nobody's
		{"ip: 172.31.0.9 via 169.254.192.5 dev fg3c4d-a9fe0002 proto 236", false},
		{"ip: unreachable 172.31.0.0/16 of fargo-1a2b", true},
		{"ip: unreachable 172.31.0.0/16 of fargo-3c4d", false},
		{"ip: 172.31.0.0/16 via 10.0.0.1 dev eth0", true}, // nobody's
		{"nft: table inet fargo-1a2b", true},
		{"nft: table inet fargo-3c4d", false},
		{"nft: table inet unnamed", true},
		{"file: /run/fargo-1a2b", true},
		{"file: /run/fargo-3c4d", false},
		{"file: /run/fargo-test-123", false},
		{"file: /run/containerd", false}, // as any containerd makes it
		{"file: /run/containerd/runc/fargo-1a2b", true},
		{"file: /run/containerd/runc/fargo-3c4d", false},
		{"file: /run/docker.sock", false},
		{"mount: /tmp/fargo-e2e-12/registry", true},
		{"mount: /tmp/fargo-e2e-123/registry", false},
		{"mount: /tmp/fargo-containerd-7/root/io.containerd.snapshotter.v1.overlayfs/1/fs", false},
		{"mount: /run/fargo-3c4d/containerd/io.containerd.runtime.v2.task/fargo-3c4d/1/rootfs", false},
		{"cgroup: /sys/fs/cgroup/memory/fargo-1a2b-containerd", true},
		{"cgroup: /sys/fs/cgroup/memory/fargo-3c4d", false},
		{"cgroup: /sys/fs/cgroup/memory/docker", false},
		{"process: /tmp/fargo-e2e-12/bin/x/containerd --config /run/fargo-1a2b/containerd/config.toml", true},
		{"process: fargo up --data-dir /tmp/fargo-e2e-12", true},
		{"process: fargo up --data-dir /tmp/fargo-e2e-chaos", false},
		{"process: fargo up --data-dir /tmp/fargo-e2e-123", false},
	} {
		got := machine{c.line}.since(nil, "1a2b", data)
		if leaked := len(got) == 1; leaked != c.leaked {
			t.Errorf("%s: leaked = %v", c.line, leaked)
		}
		if got := (machine{c.line}).since(machine{c.line}, "1a2b", data); len(got) != 0 {
			t.Errorf("%s was there before", c.line)
		}
	}
	// An installation that never came to have a name answers for its directory.
	if got := (machine{"file: /run/fargo-1a2b", "mount: " + data}).since(nil, "", data); !slices.Equal(got, []string{"mount: " + data}) {
		t.Errorf("without an id: %q", got)
	}
}
