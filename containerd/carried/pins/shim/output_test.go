package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
)

// What a queue takes of lines while nobody takes anything away, and what after that.
func TestQueue(t *testing.T) {
	long := strings.Repeat("x", longLine)
	for name, c := range map[string]struct {
		bound
		writes []string
		kept   string
	}{
		"the newest are dropped":           {bound{Limit: 8}, []string{"one\n", "two\nthree\n", "4\n"}, "one\ntwo\n"},
		"one after another":                {bound{Limit: 8}, []string{"one\ntwo\nthree\n"}, "one\ntwo\n"},
		"a shorter one may fit":            {bound{Limit: 8}, []string{"one\nlonger than it\ntwo\n"}, "one\ntwo\n"},
		"an empty queue takes any":         {bound{Limit: 2}, []string{"one\ntwo\n"}, "one\n"},
		"a line that has begun is whole":   {bound{Limit: 8}, []string{"one\ntw", "o", " and more\nfour\n"}, "one\ntwo and more\n"},
		"nothing of one that has not":      {bound{Limit: 8}, []string{"one\n", "longer", " than it", "\ntwo\n"}, "one\ntwo\n"},
		"but not for ever":                 {bound{Limit: 2}, []string{"one", long, long, "end\n", "two\n"}, "one" + long + "\n"},
		"and its end is its end":           {bound{Limit: 2}, []string{"one", long, "more", "\ntwo\n"}, "one" + long + "\n"},
		"blocking waits at the limit":      {bound{Limit: 8, Blocking: true}, []string{"one\ntwo\nthree\n"}, "one\ntwo\n"},
		"blocking waits within a line too": {bound{Limit: 6, Blocking: true}, []string{"one\ntwo\n"}, "one\ntw"},
	} {
		t.Run(name, func(t *testing.T) {
			q, kept := queue{bound: c.bound}, ""
			for _, w := range c.writes {
				for rest := []byte(w); len(rest) > 0; {
					n, what := q.next(rest, false)
					if what == ask && q.Blocking {
						break
					}
					if what == ask {
						n = q.skip(rest)
					}
					if what == keep {
						kept += string(rest[:n])
						q.wrote(rest[:n])
					}
					rest = rest[n:]
				}
			}
			if kept != c.kept {
				t.Errorf("kept %.40q (%d), not %.40q (%d)", kept, len(kept), c.kept, len(c.kept))
			}
		})
	}
}

// What could not be written is not joined with what comes after.
func TestLostOutput(t *testing.T) {
	for _, c := range []struct {
		inLine bool
		lost   string
		next   string
		want   verdict
	}{{false, "one\n", "two\n", keep}, {false, "on", "e\n", drop}, {true, "e\n", "two\n", drop}} {
		q := queue{bound: bound{Limit: 100}, inLine: c.inLine}
		q.lose([]byte(c.lost))
		if _, what := q.next([]byte(c.next), false); what != c.want {
			t.Errorf("%+v: %v", c, what)
		}
	}
}

// container stands for containerd's service: it opens the names that it was given, and
// lets the test write.
type container struct {
	api.TTRPCTaskService
	stdout, stderr *os.File
}

func (c *container) Create(_ context.Context, r *api.CreateTaskRequest) (_ *api.CreateTaskResponse, err error) {
	if c.stdout, err = os.OpenFile(r.Stdout, os.O_WRONLY, 0); err != nil {
		return nil, err
	}
	c.stderr, err = os.OpenFile(r.Stderr, os.O_WRONLY, 0)
	return nil, err
}

func (c *container) Delete(context.Context, *api.DeleteRequest) (*api.DeleteResponse, error) {
	c.stdout.Close()
	c.stderr.Close()
	return nil, nil
}

// made is a container of a bound, and the path of its output.
func made(t *testing.T, b string) (s service, c *container, log string) {
	bundle := t.TempDir()
	config := fmt.Sprintf(`{"annotations":{"fargo.output":%q}}`, b)
	if err := os.WriteFile(filepath.Join(bundle, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	c = &container{}
	s, log = newService(c), filepath.Join(t.TempDir(), "c1")
	r := &api.CreateTaskRequest{ID: "c1", Bundle: bundle, Stdout: log, Stderr: filepath.Dir(log) + "/./c1"}
	if _, err := s.Create(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	return s, c, log
}

// Both streams come to the file, and all is there when the container is deleted: more
// than the bound too, for nothing waits for ever.
func TestOutputIsWholeInTheEnd(t *testing.T) {
	s, c, log := made(t, `{"limit":16,"blocking":true}`)
	if _, err := fmt.Fprintln(c.stdout, "a line that is longer than the bound"); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintln(c.stderr, "and one of the other stream"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Delete(t.Context(), &api.DeleteRequest{ID: "c1"}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(log)
	if want := "a line that is longer than the bound\nand one of the other stream\n"; err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
}

// A container that writes more than the bound and what pipes hold waits, until the node
// has delivered, and nothing is lost.
func TestBlockingOutputWaits(t *testing.T) {
	s, c, log := made(t, `{"limit":65536,"blocking":true}`)
	text := strings.Repeat("0123456789abcde\n", 1<<16)
	written := make(chan error, 1)
	go func() {
		_, err := c.stdout.WriteString(text)
		written <- err
	}()
	for delivered := int64(0); ; {
		select {
		case err := <-written:
			if err != nil {
				t.Fatal(err)
			}
			if delivered < int64(len(text))-3*65536 {
				t.Errorf("all was written when %d were delivered", delivered)
			}
			if _, err := s.Delete(t.Context(), &api.DeleteRequest{ID: "c1"}); err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(log); err != nil || string(got) != text {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			return
		default:
		}
		info, err := os.Stat(log)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size()-delivered > 65536 {
			t.Fatalf("%d bytes wait", info.Size()-delivered)
		}
		if info.Size() == delivered {
			continue
		}
		delivered = info.Size()
		note := fmt.Sprintf(`{"delivered":%d}`, delivered)
		if err := os.WriteFile(log+".json", []byte(note), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// One that does not block goes on, and what there is no room for is dropped.
func TestNonBlockingOutputIsDropped(t *testing.T) {
	s, c, log := made(t, `{"limit":65536}`)
	line := strings.Repeat("x", 99) + "\n"
	for range 10_000 {
		if _, err := c.stdout.WriteString(line); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Delete(t.Context(), &api.DeleteRequest{ID: "c1"}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(log)
	// What the pipe still had at the end is there whatever the bound.
	if err != nil || len(got) < 65_000 || len(got) > 3*65536 || strings.Trim(string(got), "x\n") != "" || strings.Count(string(got), "\n") != len(got)/100 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// Nothing is left of a container that could not be made.
func TestOutputOfNoContainer(t *testing.T) {
	bundle := t.TempDir()
	if err := os.WriteFile(filepath.Join(bundle, "config.json"), []byte(`{"annotations":{"fargo.output":"{\"limit\":5}"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newService(&reader{err: os.ErrInvalid})
	r := &api.CreateTaskRequest{ID: "c1", Bundle: bundle, Stdout: filepath.Join(t.TempDir(), "c1")}
	if _, err := s.Create(t.Context(), r); err == nil {
		t.Fatal("it was made")
	}
	if len(s.outputs.of) != 0 {
		t.Error("its output is still copied")
	}
}
