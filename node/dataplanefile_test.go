package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fargo/desired"
)

func drawDataPlane(t *rapid.T) (s desired.State) {
	names := func(what string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3, func(s string) string { return s }).Draw(t, what)
	}
	for _, n := range names("vpcs") {
		s.VPCs = append(s.VPCs, desired.VPC{ID: n})
	}
	for _, n := range names("balancers") {
		s.Balancers = append(s.Balancers, desired.Balancer{ARN: n, Interfaces: []desired.Interface{}, Name: rapid.SampledFrom([]string{"x", "y"}).Draw(t, "name")})
	}
	for _, n := range names("groups") {
		s.Groups = append(s.Groups, desired.BalancerGroup{ARN: n, Name: rapid.SampledFrom([]string{"x", "y"}).Draw(t, "name")})
	}
	for _, n := range names("records") {
		s.Records = append(s.Records, desired.Record{Name: n})
	}
	for _, n := range names("endpoints") {
		s.Endpoints = append(s.Endpoints, desired.Endpoint{ID: n, Interfaces: []desired.Interface{{ID: "eni-" + n}}})
	}
	if rapid.Bool().Draw(t, "platform") {
		s.Platform = desired.Platform{Upstream: "http://127.0.0.1:4566", CA: "authority"}
	}
	for _, n := range names("flow logs") {
		s.FlowLogs = append(s.FlowLogs, desired.FlowLog{ID: n, Fields: []string{"srcaddr"}})
	}
	for _, n := range names("logged") {
		s.Logged = append(s.Logged, desired.LoggedInterface{ID: n, FlowLogs: []string{rapid.SampledFrom([]string{"x", "y"}).Draw(t, "log")}})
	}
	return s
}

// What was saved last is loaded, whatever was saved before, and no file is left that is
// not of it.
func TestDataPlaneIsKept(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := disk{memory: t.TempDir()}
		var last desired.State
		for range rapid.IntRange(1, 4).Draw(rt, "times") {
			last = drawDataPlane(rt)
			if err := d.saveDataPlane(last); err != nil {
				rt.Fatal(err)
			}
		}
		got, err := d.loadDataPlane()
		if err != nil || !reflect.DeepEqual(got, last) {
			rt.Fatalf("%+v, %v; want %+v", got, err, last)
		}
		entries, err := os.ReadDir(d.dataPlane())
		most := len(last.VPCs) + len(last.Balancers) + len(last.Groups) + len(last.Endpoints) + len(last.FlowLogs) + len(last.Logged) + 3
		if err != nil || len(entries) > most {
			rt.Fatalf("%d files, want %d: %v", len(entries), most, err)
		}
	})
}

// A change of one target writes its group and the index, however many load balancers
// there are.
func TestChangeOfDataPlaneIsWritten(t *testing.T) {
	d := disk{memory: t.TempDir()}
	state := func(port int) (s desired.State) {
		for i := range 100 {
			arn := fmt.Sprint(i)
			s.Balancers = append(s.Balancers, desired.Balancer{ARN: arn, Listeners: []desired.BalancerListener{
				{ARN: arn, Certificates: []desired.Certificate{{Chain: strings.Repeat("chain", 400)}}},
			}})
			s.Groups = append(s.Groups, desired.BalancerGroup{ARN: arn, Targets: []desired.BalancerTarget{{ID: "10.0.0.1", Port: port * (1 - min(i, 1))}}})
		}
		return s
	}
	if err := d.saveDataPlane(state(80)); err != nil {
		t.Fatal(err)
	}
	before := dataPlaneFiles(t, d)
	if err := d.saveDataPlane(state(81)); err != nil {
		t.Fatal(err)
	}
	after := dataPlaneFiles(t, d)
	var written, bytes, whole int64
	for name, info := range after {
		whole += info.Size()
		if old := before[name]; old == nil || !os.SameFile(old, info) {
			written++
			bytes += info.Size()
		}
	}
	t.Logf("%d files of %d and %d bytes of %d are written", written, len(after), bytes, whole)
	if written != 2 || bytes > 10_000 || len(after) != len(before) {
		t.Errorf("%d files of %d and %d bytes of %d are written; there were %d files", written, len(after), bytes, whole, len(before))
	}
}

func dataPlaneFiles(t *testing.T, d disk) map[string]fs.FileInfo {
	t.Helper()
	entries, err := os.ReadDir(d.dataPlane())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]fs.FileInfo{}
	for _, e := range entries {
		if all[e.Name()], err = e.Info(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// A piece that is missing, cut short or of something else is broken, and is written
// again once it has been put aside.
func TestBrokenPieces(t *testing.T) {
	s := desired.State{Groups: []desired.BalancerGroup{{ARN: "a"}, {ARN: "b"}}}
	for name, damage := range map[string]func(path, other string) error{
		"missing": func(path, _ string) error { return os.Remove(path) },
		"short":   func(path, _ string) error { return os.Truncate(path, 5) },
		"empty":   func(path, _ string) error { return os.Truncate(path, 0) },
		"another": func(path, other string) error { return os.Rename(other, path) },
		"a directory": func(path, _ string) error {
			return errors.Join(os.Remove(path), os.Mkdir(path, 0o700))
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := disk{dir: t.TempDir(), memory: t.TempDir()}
			if err := d.saveDataPlane(s); err != nil {
				t.Fatal(err)
			}
			var paths []string
			for file := range dataPlaneFiles(t, d) {
				if file != "index.json" {
					paths = append(paths, filepath.Join(d.dataPlane(), file))
				}
			}
			if err := damage(paths[0], paths[1]); err != nil {
				t.Fatal(err)
			}
			if got, err := d.loadDataPlane(); !errors.Is(err, errBroken) || !reflect.DeepEqual(got, desired.State{}) {
				t.Errorf("loaded %+v, %v", got, err)
			}
			if err := errors.Join(d.putDataPlaneAside(), d.saveDataPlane(s)); err != nil {
				t.Fatal(err)
			}
			if got, err := d.loadDataPlane(); err != nil || !reflect.DeepEqual(got, s) {
				t.Errorf("loaded %+v, %v", got, err)
			}
		})
	}
}
