package dns

import (
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fargo/desired"
)

func names(pairs ...string) []desired.Record {
	var out []desired.Record
	for i := 0; i < len(pairs); i += 2 {
		r := desired.Record{Name: pairs[i], TTL: time.Minute}
		for a := range strings.FieldsSeq(pairs[i+1]) {
			r.Addresses = append(r.Addresses, netip.MustParseAddr(a))
		}
		out = append(out, r)
	}
	return out
}

func hostsFile(t *testing.T, content string) *Hosts {
	h := &Hosts{Path: filepath.Join(t.TempDir(), "hosts"), Instance: "1a2b"}
	if err := os.WriteFile(h.Path, []byte(content), 0o640); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *Hosts) mustSet(t *testing.T, records []desired.Record) {
	t.Helper()
	if err := h.Set(records); err != nil {
		t.Fatal(err)
	}
}

func (h *Hosts) check(t *testing.T, want string) {
	t.Helper()
	got, err := os.ReadFile(h.Path)
	if err != nil || string(got) != want {
		t.Errorf("hosts file, %v:\n%s\nwant:\n%s", err, got, want)
	}
}

func TestHosts(t *testing.T) {
	h := hostsFile(t, "127.0.0.1 localhost\n\n# mine\n10.1.1.1 nas\n")
	private := desired.Record{Name: "db.local", VPC: "vpc-1", Addresses: []netip.Addr{netip.MustParseAddr("172.31.0.9")}}
	public := desired.Record{Name: "ec2-240-0-0-1.compute-1.amazonaws.com", VPC: "vpc-1", Public: netip.MustParseAddr("240.0.0.1"), Addresses: private.Addresses}
	h.mustSet(t, append(names("b.example", "172.31.16.4 172.31.0.4", "a.example", "172.31.0.5"), private, public))
	h.check(t, "127.0.0.1 localhost\n\n# mine\n10.1.1.1 nas\n"+
		"172.31.0.4\tb.example\t# fargo 1a2b\n172.31.0.5\ta.example\t# fargo 1a2b\n172.31.16.4\tb.example\t# fargo 1a2b\n"+
		"240.0.0.1\tec2-240-0-0-1.compute-1.amazonaws.com\t# fargo 1a2b\n")

	// Somebody writes behind and between; another instance comes.
	text, _ := os.ReadFile(h.Path)
	edited := strings.Replace(string(text), "172.31.0.5", "10.1.1.2 printer\n172.31.0.5", 1) + "10.1.1.3 scanner"
	if err := os.WriteFile(h.Path, []byte(edited), 0o640); err != nil {
		t.Fatal(err)
	}
	other := &Hosts{Path: h.Path, Instance: "ffff"}
	other.mustSet(t, names("a.example", "172.31.0.5"))
	h.mustSet(t, names("a.example", "172.31.0.6"))
	h.check(t, "127.0.0.1 localhost\n\n# mine\n10.1.1.1 nas\n172.31.0.6\ta.example\t# fargo 1a2b\n10.1.1.2 printer\n"+
		"172.31.0.5\ta.example\t# fargo ffff\n10.1.1.3 scanner")

	if err := h.Remove(); err != nil {
		t.Fatal(err)
	}
	if err := other.Remove(); err != nil {
		t.Fatal(err)
	}
	h.check(t, "127.0.0.1 localhost\n\n# mine\n10.1.1.1 nas\n10.1.1.2 printer\n10.1.1.3 scanner")
	info, err := os.Stat(h.Path)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(h.Path), ".*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

// What is as it should be is not written: programs watch this file.
func TestHostsWritesChangesOnly(t *testing.T) {
	h := hostsFile(t, "127.0.0.1 localhost\n")
	h.mustSet(t, names("a.example", "172.31.0.5"))
	before, err := os.Stat(h.Path)
	if err != nil {
		t.Fatal(err)
	}
	h.mustSet(t, names("a.example", "172.31.0.5"))
	after, err := os.Stat(h.Path)
	if err != nil || !sameFile(before, after) {
		t.Error("written again", err)
	}
}

func TestHostsFollowsLinkAndMakesFile(t *testing.T) {
	h := hostsFile(t, "127.0.0.1 localhost\n")
	link := filepath.Join(filepath.Dir(h.Path), "link")
	if err := os.Symlink("hosts", link); err != nil {
		t.Fatal(err)
	}
	linked := *h
	linked.Path = link
	linked.mustSet(t, names("a.example", "172.31.0.5"))
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Error("the link is gone", err)
	}
	h.check(t, "127.0.0.1 localhost\n172.31.0.5\ta.example\t# fargo 1a2b\n")

	if err := os.Remove(h.Path); err != nil {
		t.Fatal(err)
	}
	h.mustSet(t, nil)
	if _, err := os.Stat(h.Path); !os.IsNotExist(err) {
		t.Error("made without need", err)
	}
	h.mustSet(t, names("a.example", "172.31.0.5"))
	h.check(t, "172.31.0.5\ta.example\t# fargo 1a2b\n")
}

// What a process that was killed in the middle left does not stay.
func TestHostsClearsLeftovers(t *testing.T) {
	h := hostsFile(t, "127.0.0.1 localhost\n172.31.0.9\told.example\t# fargo 1a2b\n")
	if err := os.WriteFile(tempPath(h.Path), []byte("127.0."), 0o600); err != nil {
		t.Fatal(err)
	}
	h.mustSet(t, names("a.example", "172.31.0.5"))
	h.check(t, "127.0.0.1 localhost\n172.31.0.5\ta.example\t# fargo 1a2b\n")
	if _, err := os.Stat(tempPath(h.Path)); !os.IsNotExist(err) {
		t.Error("still there", err)
	}
}

// Many instances write at the same time, and none loses anything of another.
func TestHostsOfSeveralInstances(t *testing.T) {
	h := hostsFile(t, "127.0.0.1 localhost\n")
	instances := []string{"0001", "0002", "0003", "0004"}
	var all sync.WaitGroup
	for _, id := range instances {
		all.Go(func() {
			isOwn := &Hosts{Path: h.Path, Instance: id}
			for i := range 20 {
				address := netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}).String()
				if err := isOwn.Set(names(id+".example", address)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	text, err := os.ReadFile(h.Path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for _, id := range instances {
		if want := "10.0.0.19\t" + id + ".example\t# fargo " + id; !slices.Contains(lines, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if len(lines) != len(instances)+2 || lines[0] != "127.0.0.1 localhost" {
		t.Errorf("too much or too little:\n%s", text)
	}
}

var foreignLines = rapid.SampledFrom([]string{
	"", "127.0.0.1 localhost", "\t::1 ip6-localhost\t# loopback", "# fargo 1a2b", "\t# fargo 1a2b", "x\ty\t# fargo 1a2b",
	"# 10.0.0.1\tx\t# fargo 1a2b", "10.0.0.1\tx\t# fargo 1a2b!", "10.0.0.1 # fargo 1a2b", "10.0.0.1\t# fargo 1a2b",
	"10.0.0.1\tx # fargo 1a2b", "10.1.1.1 nas\r", "\xff\x00", "# fargo 1a2b begin",
})

// However instances and others change the file in turn: the lines of others are
// there as they wrote them, ours are there once, and when all have gone the
// file is what others made of it.
func TestHostsKeepForeignLines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		foreign := rapid.SliceOfN(foreignLines, 1, 6).Draw(t, "foreign")
		instances := []string{"1a2b", "ffff"}
		text := strings.Join(foreign, "\n")
		wanted := map[string][]string{}
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				id := rapid.SampledFrom(instances).Draw(t, "instance")
				var records []desired.Record
				for i := range rapid.IntRange(0, 3).Draw(t, "names") {
					a := netip.AddrFrom4([4]byte{10, 9, byte(i), byte(rapid.IntRange(0, 2).Draw(t, "address"))})
					records = append(records, desired.Record{Name: "n.example", Addresses: []netip.Addr{a}})
				}
				wanted[id] = linesOf(records, id)
				text = edit(text, id, wanted[id])
			},
			"somebody inserts": func(t *rapid.T) {
				lines := strings.Split(text, "\n")
				at := rapid.IntRange(0, len(lines)-1).Draw(t, "at")
				before := 0 // foreign lines that come before
				for _, l := range lines[:at] {
					if !isOwn(l, "1a2b") && !isOwn(l, "ffff") {
						before++
					}
				}
				l := foreignLines.Draw(t, "line")
				text = strings.Join(slices.Insert(lines, at, l), "\n")
				foreign = slices.Insert(foreign, before, l)
			},
			"": func(t *rapid.T) {
				var others []string
				found := map[string][]string{}
				for _, l := range strings.Split(text, "\n") {
					switch {
					case isOwn(l, "1a2b"):
						found["1a2b"] = append(found["1a2b"], l)
					case isOwn(l, "ffff"):
						found["ffff"] = append(found["ffff"], l)
					default:
						others = append(others, l)
					}
				}
				if !slices.Equal(others, foreign) {
					t.Fatalf("others had %q, now %q", foreign, others)
				}
				for _, id := range instances {
					if !slices.Equal(found[id], wanted[id]) {
						t.Fatalf("%s has %q, wants %q", id, found[id], wanted[id])
					}
					if again := edit(text, id, wanted[id]); again != text {
						t.Fatalf("not the same the second time:\n%q\n%q", text, again)
					}
				}
				if gone := edit(edit(text, "1a2b", nil), "ffff", nil); gone != strings.Join(foreign, "\n") {
					t.Fatalf("left %q of %q", gone, foreign)
				}
			},
		})
	})
}

func FuzzHosts(f *testing.F) {
	f.Add("127.0.0.1 localhost\n")
	f.Add("127.0.0.1 localhost")
	f.Add("172.31.0.5\ta.example\t# fargo 1a2b")
	f.Add("\r\n172.31.0.5\ta.example\t# fargo 1a2b \r\n\n::1\tx\t# fargo 1a2b\n#")
	f.Fuzz(func(t *testing.T, text string) {
		lines := linesOf(names("a.example", "172.31.0.5 172.31.16.5"), "1a2b")
		with := edit(text, "1a2b", lines)
		if edit(with, "1a2b", lines) != with {
			t.Fatalf("%q: the second edit changes something", text)
		}
		without := edit(with, "1a2b", nil)
		if direct := edit(text, "1a2b", nil); direct != without && direct != "" {
			t.Fatalf("%q: without ours it is %q, or %q", text, direct, without)
		}
		var foreign []string
		for _, l := range strings.Split(text, "\n") {
			if !isOwn(l, "1a2b") {
				foreign = append(foreign, l)
			}
		}
		if got := strings.Split(without, "\n"); !slices.Equal(got, foreign) && len(foreign) > 0 {
			t.Fatalf("%q: others keep %q", text, got)
		}
		ours := slices.DeleteFunc(strings.Split(with, "\n"), func(l string) bool { return !isOwn(l, "1a2b") })
		if !slices.Equal(ours, lines) {
			t.Fatalf("%q: ours are %q", text, ours)
		}
	})
}
