package containerd

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fargo/desired"
	"fargo/host"
)

// Docker's table: what a task definition sets, what the image has, what runs.
// Source: Docker, "Understand how CMD and ENTRYPOINT interact"; Docker Engine
// API, ContainerCreate, Entrypoint.
func TestArgs(t *testing.T) {
	for _, c := range []struct {
		name                string
		entryPoint, command []string
		image               imageConfig
		init                bool
		want                string // "" means an error
	}{
		{"all from the image", nil, nil, imageConfig{Entrypoint: []string{"ep"}, Cmd: []string{"cmd"}}, false, "ep cmd"},
		{"image without entry point", nil, nil, imageConfig{Cmd: []string{"cmd"}}, false, "cmd"},
		{"command keeps the entry point", nil, []string{"mine"}, imageConfig{Entrypoint: []string{"ep"}, Cmd: []string{"cmd"}}, false, "ep mine"},
		{"entry point drops the command", []string{"mine"}, nil, imageConfig{Entrypoint: []string{"ep"}, Cmd: []string{"cmd"}}, false, "mine"},
		{"both", []string{"mine"}, []string{"args"}, imageConfig{Entrypoint: []string{"ep"}, Cmd: []string{"cmd"}}, false, "mine args"},
		{"empty entry point removes the image's", []string{}, nil, imageConfig{Entrypoint: []string{"ep"}, Cmd: []string{"cmd"}}, false, "cmd"},
		{"blank entry point removes both", []string{""}, []string{"mine"}, imageConfig{Entrypoint: []string{"ep"}, Cmd: []string{"cmd"}}, false, "mine"},
		{"with init", nil, []string{"mine"}, imageConfig{}, true, "/sbin/docker-init -- mine"},
		{"nothing", nil, nil, imageConfig{}, false, ""},
		{"nothing left", []string{""}, nil, imageConfig{Cmd: []string{"cmd"}}, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := host.ContainerSpec{ContainerAssignment: desired.ContainerAssignment{
				EntryPoint: c.entryPoint, Command: c.command, Init: c.init,
			}}
			got, err := args(&spec, &c.image)
			if (err != nil) != (c.want == "") || strings.Join(got, " ") != c.want {
				t.Errorf("%q, %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	got := environment(baseEnvironment("box", "/root", true),
		[]string{"PATH=/image", "A=image", "B=image"}, []string{"B=mine", "C=1", "C=2", "TERM=dumb"})
	want := "PATH=/image HOSTNAME=box TERM=dumb HOME=/root A=image B=mine C=2"
	if strings.Join(got, " ") != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Each name stands once, with the last value given to it.
func TestEnvironmentLastValueStands(t *testing.T) {
	entries := rapid.SliceOf(rapid.Map(rapid.StringMatching(`[AB]=[0-9]`), func(s string) string { return s }))
	rapid.Check(t, func(t *rapid.T) {
		first, second := entries.Draw(t, "image"), entries.Draw(t, "user")
		got := environment(first, second)
		all := slices.Concat(first, second)
		for i, entry := range got {
			same := func(e string) bool { return e[0] == entry[0] }
			if slices.IndexFunc(got, same) != i {
				t.Fatalf("%q twice in %q", entry, got)
			}
			last := all[len(all)-1-slices.IndexFunc(reversed(all), same)]
			if entry != last {
				t.Fatalf("%q, want %q", entry, last)
			}
		}
	})
}

func reversed(s []string) []string {
	s = slices.Clone(s)
	slices.Reverse(s)
	return s
}

func TestCapabilities(t *testing.T) {
	for _, c := range []struct {
		name      string
		add, drop []string
		uid       uint32
		bounding  int
		effective int
	}{
		{"docker's", nil, nil, 0, 14, 14},
		{"of a user", nil, nil, 1000, 14, 0},
		{"one more", []string{"SYS_PTRACE"}, nil, 0, 15, 15},
		{"one there already", []string{"CAP_CHOWN"}, nil, 0, 14, 14},
		{"some fewer", nil, []string{"chown", "CAP_KILL", "SYS_ADMIN"}, 0, 12, 12},
		{"none but one", []string{"SYS_PTRACE"}, []string{"ALL"}, 0, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := capabilities(c.add, c.drop, c.uid)
			if err != nil || len(got.Bounding) != c.bounding || len(got.Effective) != c.effective || len(got.Inheritable) != 0 {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	if _, err := capabilities([]string{"ALL"}, nil, 0); err == nil {
		t.Error("ALL was added")
	}
}

func TestLookUpUser(t *testing.T) {
	img := &image{
		passwd: []byte("root:x:0:0::/root:/bin/sh\nana:x:1000:100::/home/ana:/bin/sh\n"),
		group:  []byte("root:x:0:\nusers:x:100:\nwheel:x:10:root,ana\n"),
	}
	for _, c := range []struct {
		name     string
		uid, gid uint32
		groups   []uint32
		home     string
	}{
		{"", 0, 0, []uint32{0, 10}, "/root"},
		{"ana", 1000, 100, []uint32{100, 10}, "/home/ana"},
		{"1000", 1000, 100, []uint32{100, 10}, "/home/ana"},
		{"ana:wheel", 1000, 10, []uint32{10}, "/home/ana"},
		{"2000:3000", 2000, 3000, []uint32{3000}, "/"},
	} {
		got, home, err := lookUpUser(c.name, img)
		if err != nil || got.UID != c.uid || got.GID != c.gid || !slices.Equal(got.AdditionalGids, c.groups) || home != c.home {
			t.Errorf("%q: %+v, %q, %v", c.name, got, home, err)
		}
	}
	if _, _, err := lookUpUser("bob", img); err == nil || !strings.HasPrefix(err.Error(), "unable to find user bob: ") {
		t.Errorf("error = %v", err)
	}
	if got, _, err := lookUpUser("", &image{}); err != nil || got.UID != 0 {
		t.Errorf("without files: %+v, %v", got, err)
	}
}
