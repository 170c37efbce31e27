package fargo_test

import (
	"slices"
	"strings"
	"testing"
)

// module is the prefix of our own import paths.
const module = "fargo"

// hall is the root package, which every room below may speak.
const hall = "."

// rooms is the import table of docs/design.md: each room with the rooms it may
// import. A room may always import what is inside itself. Imports run one way:
// aws ← fargo ← {store, plan, policy} ← {api, control, dispatch, node, …} ← cmd.
var rooms = map[string][]string{
	"aws":        {},
	hall:         {"aws"},
	"diskspace":  {hall},
	"engine":     {hall, "diskspace"},
	"store":      {hall, "aws", "engine"},
	"plan":       {hall, "aws"},
	"policy":     {hall, "aws"},
	"api":        {hall, "aws", "store", "plan", "policy", "logs"},
	"control":    {hall, "aws", "store", "plan", "policy"},
	"dispatch":   {hall, "aws", "store", "plan"},
	"logs":       {hall, "engine"},
	"metrics":    {hall},
	"registry":   {hall, "aws", "store", "diskspace"},
	"session":    {hall},
	"node":       {hall, "plan"},
	"balancer":   {hall, "aws", "plan"},
	"dns":        {hall, "plan"},
	"containerd": {hall},
	"kernel":     {hall},
	"console":    {},
	"bench":      {hall, "aws", "balancer"}, // which it runs by itself
	"e2e":        {},
	"examples":   {},
}

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

// roomOf is the room an import path of ours leads to: "fargo/store/disk" is in
// "store", "fargo" itself is the hall.
func roomOf(path string) (room string, ours bool) {
	if path == module {
		return hall, true
	}
	rest, ours := strings.CutPrefix(path, module+"/")
	room, _, _ = strings.Cut(rest, "/")
	return room, ours
}
