package fargo_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module is the prefix of our own import paths.
const module = "fargo"

// root is the package that names things, which every other may import.
const root = "."

// imports is the import table of docs/design.md: each top-level package with those
// that it may import. A package may always import what is inside itself. Imports run
// one way:
// aws ← fargo ← {record, desired} ← {store, plan, policy} ← {api, control, …} ← cmd.
var imports = map[string][]string{
	"aws":          {},
	root:           {"aws"},
	"secret":       {},
	"desired":      {root, "secret", "aws"},
	"record":       {root, "aws", "desired"},
	"host":         {root, "secret", "desired"},
	"diskspace":    {root},
	"eventpattern": {},
	"schedule":     {},
	"eventbus":     {root, "aws", "record", "store", "plan", "eventpattern"},
	"engine":       {root, "diskspace"},
	"store":        {root, "aws", "record", "engine"},
	"plan":         {root, "aws", "record", "desired", "schedule"},
	"policy":       {root, "aws", "record"},
	"kms":          {root, "aws", "record", "store", "plan", "policy"},
	"api":          {root, "aws", "record", "desired", "store", "plan", "policy", "logs", "metrics", "kms", "objects", "eventbus", "eventpattern", "schedule"},
	"control":      {root, "secret", "aws", "record", "desired", "store", "plan", "policy", "kms", "eventbus", "schedule"},
	"dispatch":     {root, "secret", "desired"},
	"logs":         {root, "desired", "engine"},
	"measurement":  {root, "desired", "host"},
	"metrics":      {root, "engine"},
	"audit":        {},
	"registry":     {root, "aws", "record", "store", "diskspace"},
	"session":      {root, "secret"},
	"node":         {root, "secret", "desired", "host"},
	"ecsexec":      {"secret", "desired", "host", "session"},
	"balancer":     {root, "secret", "aws", "desired"},
	"sockets":      {},
	"dns":          {root, "desired", "sockets"},
	"endpoint":     {root, "secret", "aws", "desired", "sockets"},
	"flowlog":      {root, "desired", "host"},
	"containerd":   {root, "desired", "host", "process"},
	"kernel":       {root, "desired", "host"},
	"console":      {},
	"bench":        {root, "secret", "aws", "desired", "balancer"}, // which it runs by itself
	"e2e":          {},
	"examples":     {},
	"instance":     {root},
	"process":      {},
	"objects":      {root, "record", "diskspace"},
	"lambda":       {root, "aws", "record", "desired", "store"},
	"taskmetadata": {root, "secret", "aws", "desired", "host", "sockets"},
}

// balancerImports is the import table within balancer/, from below to above: each
// package with those that it may import. Requests are decided on (routing, header,
// sticky, accesslog) without knowing who serves them, and the checker of targets
// knows nothing of load balancing.
var balancerImports = map[string][]string{
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
	"layer7": {
		"accesslog", "exchange", "header", "http1", "http2", "listener", "metrics", "netconn", "routing", "settings",
		"sticky", "targetgroup", "tlsconfig", "upstream",
	},
	"layer4": {"accesslog", "listener", "metrics", "netconn", "proxyprotocol", "targetgroup", "tlsconfig", "upstream"},
	"":       {"health", "layer4", "layer7", "listener", "metrics", "objectlog", "settings", "targetgroup", "tlsconfig", "upstream"},
	"worker": {"", "health", "metrics"},

	"balancertest": {}, // for tests and benchmarks
	"scenariotest": {},
}

// onNodes are the packages that run on a node. They import nothing of the control
// plane, also not through another package.
var onNodes = []string{"node", "balancer", "dns", "endpoint", "flowlog", "sockets", "session", "ecsexec", "taskmetadata", "measurement", "containerd", "kernel", "host", "desired"}

// onControlPlane are the packages that only the control plane has.
var onControlPlane = []string{"audit", "record", "store", "plan", "policy", "kms", "objects", "eventbus", "lambda", "api", "control"}

// unrestricted are the packages that may import any other: cmd connects them, sim
// simulates them.
var unrestricted = []string{"cmd", "sim"}

// restricted are the third-party packages that only some of ours may import, by the
// prefix of their path: those that change the machine, and each storage engine,
// protocol and client.
var restricted = map[string][]string{
	"github.com/containerd/containerd/":     {"containerd", "bench"}, // a peer, there
	"github.com/containerd/cgroups/":        {"kernel"},
	"github.com/vishvananda/":               {"kernel"},
	"github.com/google/nftables":            {"kernel"},
	"github.com/ti-mo/":                     {"kernel"},
	"github.com/fluent/":                    {"node"},
	"github.com/cockroachdb/pebble/":        {"engine", "store", "logs", "metrics", "sim"}, // sim has its file systems
	"go.etcd.io/bbolt":                      {"containerd"},                                // whose databases are of it
	"github.com/hashicorp/go-memdb":         {"store"},
	"github.com/hashicorp/go-immutable":     {"store"},
	"github.com/distribution/distribution/": {"registry"},
	"github.com/miekg/dns":                  {"dns"},
	"github.com/coder/websocket":            {"session"},
	"github.com/alecthomas/kong":            {"cmd"},
	"golang.org/x/image/":                   {"metrics"},
}

func TestImports(t *testing.T) {
	for _, pkg := range packages(t) {
		allowed, known := imports[pkg.top]
		if !known && !slices.Contains(unrestricted, pkg.top) {
			t.Errorf("%s: the import table has no %q", pkg.dir, pkg.top)
			continue
		}
		for _, file := range pkg.files {
			if file.test {
				continue // a test may import any package
			}
			for _, path := range file.imports {
				if top, ours := topLevel(path); ours {
					if top != pkg.top && known && !slices.Contains(allowed, top) {
						t.Errorf("%s imports %s: %s may import only %v", file.path, path, pkg.top, allowed)
					}
					continue
				}
				for prefix, homes := range restricted {
					if strings.HasPrefix(path, prefix) && !slices.Contains(homes, pkg.top) {
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
		if pkg.top != "balancer" {
			continue
		}
		name := part(strings.TrimPrefix(filepath.ToSlash(pkg.dir), "balancer"))
		allowed, known := balancerImports[name]
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
	for name, allowed := range balancerImports {
		if !seen[name] {
			t.Errorf("balancer/%s: the import table has it, and it is not there", name)
		}
		for _, other := range allowed {
			if slices.Contains(reachable(balancerImports, other), name) {
				t.Errorf("balancer/%s may import %s, which may import it", name, other)
			}
		}
	}
}

// reachable are the packages that one may import, directly or through others.
func reachable(table map[string][]string, name string) (reached []string) {
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

// TestNodesDoNotImportTheControlPlane follows the imports of all that runs on a node.
func TestNodesDoNotImportTheControlPlane(t *testing.T) {
	found := map[string][]string{} // without those of tests
	for _, pkg := range packages(t) {
		for _, file := range pkg.files {
			if file.test || strings.HasSuffix(pkg.dir, "test") { // what tests share
				continue
			}
			for _, path := range file.imports {
				if top, ours := topLevel(path); ours && top != pkg.top {
					found[pkg.top] = append(found[pkg.top], top)
				}
			}
		}
	}
	var follow func(chain []string)
	follow = func(chain []string) {
		for _, next := range found[chain[len(chain)-1]] {
			if slices.Contains(onControlPlane, next) {
				t.Errorf("%s imports %s", strings.Join(chain, " imports "), next)
			} else if !slices.Contains(chain, next) {
				follow(append(slices.Clone(chain), next))
			}
		}
	}
	for _, top := range onNodes {
		follow([]string{top})
	}
}

// topLevel is the top-level package of an import path of ours: "store" of
// "fargo/store/disk", root of "fargo".
func topLevel(path string) (top string, ours bool) {
	if path == module {
		return root, true
	}
	rest, ours := strings.CutPrefix(path, module+"/")
	top, _, _ = strings.Cut(rest, "/")
	return top, ours
}
