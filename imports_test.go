package fargo_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module is the prefix of our own import paths.
const module = "fargo"

// root is the package that names things, which every room may import.
const root = "."

// rooms is the import table of docs/design.md: each room with the rooms it may
// import. A room may always import what is inside itself. Imports run one way:
// aws ← fargo ← {record, desired} ← {store, plan, policy} ← {api, control, …} ← cmd.
var rooms = map[string][]string{
	"aws":        {},
	root:         {"aws"},
	"secret":     {},
	"desired":    {root, "secret", "aws"},
	"record":     {root, "aws", "desired"},
	"host":       {root, "secret", "desired"},
	"diskspace":  {root},
	"engine":     {root, "diskspace"},
	"store":      {root, "aws", "record", "engine"},
	"plan":       {root, "aws", "record", "desired"},
	"policy":     {root, "aws", "record"},
	"api":        {root, "aws", "record", "desired", "store", "plan", "policy", "logs"},
	"control":    {root, "secret", "aws", "record", "desired", "store", "plan", "policy"},
	"dispatch":   {root, "secret", "desired"},
	"logs":       {root, "desired", "engine"},
	"metrics":    {root},
	"registry":   {root, "aws", "record", "store", "diskspace"},
	"session":    {root},
	"node":       {root, "secret", "desired", "host"},
	"balancer":   {root, "secret", "aws", "desired"},
	"dns":        {root, "desired"},
	"containerd": {root, "desired", "host"},
	"kernel":     {root, "desired", "host"},
	"console":    {},
	"bench":      {root, "secret", "aws", "desired", "balancer"}, // which it runs by itself
	"e2e":        {},
	"examples":   {},
	"instance":   {root},
	"process":    {},
}

// balancerRooms is the import table within balancer/, from below to above: each
// package with those that it may import. Requests are decided on (routing, header,
// sticky, accesslog) without knowing who serves them, and the checker of targets
// knows nothing of load balancing.
var balancerRooms = map[string][]string{
	"http1":         {},
	"netconn":       {},
	"proxyprotocol": {},
	"settings":      {"http1"},
	"tlsconfig":     {},
	"http2":         {"netconn", "tlsconfig"},
	"objectlog":     {"settings"},
	"health":        {"http2", "objectlog", "proxyprotocol", "settings"},
	"sticky":        {"http1", "settings"},
	"routing":       {"http1", "sticky"},
	"exchange":      {"http1", "routing", "tlsconfig"},
	"header":        {"exchange", "http1", "routing", "settings"},
	"accesslog":     {"exchange", "netconn", "objectlog", "routing"},
	"metrics":       {"exchange", "tlsconfig"},
	"upstream":      {"http1", "http2", "netconn", "tlsconfig"},
	"targetgroup":   {"health", "http1", "metrics", "settings", "sticky", "upstream"},
	"listener":      {"metrics", "netconn", "objectlog", "routing", "settings", "targetgroup", "tlsconfig"},
	"layer7": {"accesslog", "exchange", "header", "http1", "http2", "listener", "netconn", "routing", "settings", "sticky",
		"targetgroup", "tlsconfig", "upstream"},
	"layer4": {"accesslog", "listener", "metrics", "netconn", "proxyprotocol", "targetgroup", "tlsconfig", "upstream"},
	"":       {"health", "layer4", "layer7", "listener", "metrics", "settings", "targetgroup", "tlsconfig", "upstream"},
	"worker": {"", "health", "metrics"},

	"balancertest": {}, // for tests and benchmarks
	"scenariotest": {},
}

// onNodes are the rooms that run on a node. They import nothing of the control
// plane, also not through another package.
var onNodes = []string{"node", "balancer", "dns", "containerd", "kernel", "host", "desired"}

// ofPlane are the rooms that only the control plane has.
var ofPlane = []string{"record", "store", "plan", "policy", "api", "control"}

// free are the rooms that may import any other: cmd joins them, sim rehearses
// with them.
var free = []string{"cmd", "sim"}

// doors are the packages of others that only one room may import, by the
// prefix of their path. The machine is touched through two doors, and each
// storage engine, protocol and client has one home.
var doors = map[string][]string{
	"github.com/containerd/containerd/":     {"containerd", "bench"}, // a peer, there
	"github.com/containerd/cgroups/":        {"kernel"},
	"github.com/vishvananda/":               {"kernel"},
	"github.com/google/nftables":            {"kernel"},
	"github.com/cockroachdb/pebble/":        {"engine", "store", "logs", "metrics"},
	"go.etcd.io/bbolt":                      {"containerd"}, // whose databases are of it
	"github.com/hashicorp/go-memdb":         {"store"},
	"github.com/hashicorp/go-immutable":     {"store"},
	"github.com/distribution/distribution/": {"registry"},
	"github.com/miekg/dns":                  {"dns"},
	"github.com/alecthomas/kong":            {"cmd"},
}

func TestImports(t *testing.T) {
	for _, pkg := range packages(t) {
		allowed, known := rooms[pkg.room]
		if !known && !slices.Contains(free, pkg.room) {
			t.Errorf("%s: the import table does not know the room %q", pkg.dir, pkg.room)
			continue
		}
		for _, file := range pkg.files {
			if file.test {
				continue // a test may use any room to prove its own
			}
			for _, path := range file.imports {
				if room, ours := roomOf(path); ours {
					if room != pkg.room && known && !slices.Contains(allowed, room) {
						t.Errorf("%s imports %s: %s may import only %v", file.path, path, pkg.room, allowed)
					}
					continue
				}
				for prefix, homes := range doors {
					if strings.HasPrefix(path, prefix) && !slices.Contains(homes, pkg.room) {
						t.Errorf("%s imports %s: only %v may", file.path, path, homes)
					}
				}
			}
		}
	}
}

func TestBalancerImports(t *testing.T) {
	const prefix = module + "/balancer"
	part := func(path string) string { // of the package with this path below balancer
		name, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		return name
	}
	seen := map[string]bool{}
	for _, pkg := range packages(t) {
		if pkg.room != "balancer" {
			continue
		}
		name := part(strings.TrimPrefix(filepath.ToSlash(pkg.dir), "balancer"))
		allowed, known := balancerRooms[name]
		if !known {
			t.Errorf("%s: the import table does not know it", pkg.dir)
		}
		seen[name] = true
		for _, file := range pkg.files {
			if file.test {
				continue
			}
			for _, path := range file.imports {
				below, ours := strings.CutPrefix(path, prefix)
				if other := part(below); ours && other != name && !slices.Contains(allowed, other) {
					t.Errorf("%s imports %s: it may import only %q", file.path, path, allowed)
				}
			}
		}
	}
	for name, allowed := range balancerRooms {
		if !seen[name] {
			t.Errorf("balancer/%s: the import table has it, and it is not there", name)
		}
		for _, other := range allowed {
			if slices.Contains(follow(balancerRooms, other), name) {
				t.Errorf("balancer/%s may import %s, which may import it", name, other)
			}
		}
	}
}

// follow are the packages that one may import, by whatever way.
func follow(table map[string][]string, name string) (reached []string) {
	reached = []string{name}
	for i := 0; i < len(reached); i++ {
		for _, next := range table[reached[i]] {
			if !slices.Contains(reached, next) {
				reached = append(reached, next)
			}
		}
	}
	return reached
}

// TestNodesKnowNothingOfThePlane follows the imports of all that runs on a node.
func TestNodesKnowNothingOfThePlane(t *testing.T) {
	imports := map[string][]string{} // rooms by room, without tests
	for _, pkg := range packages(t) {
		for _, file := range pkg.files {
			if file.test || strings.HasSuffix(pkg.dir, "test") { // what tests share
				continue
			}
			for _, path := range file.imports {
				if room, ours := roomOf(path); ours && room != pkg.room {
					imports[pkg.room] = append(imports[pkg.room], room)
				}
			}
		}
	}
	var follow func(way []string)
	follow = func(way []string) {
		for _, next := range imports[way[len(way)-1]] {
			if slices.Contains(ofPlane, next) {
				t.Errorf("%s imports %s", strings.Join(way, " imports "), next)
			} else if !slices.Contains(way, next) {
				follow(append(slices.Clone(way), next))
			}
		}
	}
	for _, room := range onNodes {
		follow([]string{room})
	}
}

// roomOf is the room an import path of ours leads to: "fargo/store/disk" is in
// "store", "fargo" itself is the root.
func roomOf(path string) (room string, ours bool) {
	if path == module {
		return root, true
	}
	rest, ours := strings.CutPrefix(path, module+"/")
	room, _, _ = strings.Cut(rest, "/")
	return room, ours
}
