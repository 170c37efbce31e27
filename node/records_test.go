package node

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fargo/desired"
)

const recordsName = "fl-1.eni-1"

func recordsTarget() desired.LogTarget {
	return desired.LogTarget{Group: "flows", Stream: "eni-1-all", Create: true}
}

func events(first int64, messages ...string) (all []desired.LogEvent) {
	for i, m := range messages {
		all = append(all, desired.LogEvent{Timestamp: first + int64(i), Message: m})
	}
	return all
}

// waitRecords waits until the group's stream has exactly these messages.
func (s *shipping) waitRecords(want ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	if s.plane.Wait(ctx, func() bool { return slices.Equal(s.plane.Messages("flows", "eni-1-all"), want) }) != nil {
		s.t.Fatalf("the stream has %.300q", s.plane.Messages("flows", "eni-1-all"))
	}
}

func (s *shipping) noFiles() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	left := func() []string {
		files, _ := filepath.Glob(s.path("fl-*"))
		return files
	}
	if s.plane.Wait(ctx, func() bool { s.plane.AddGroup("other"); return len(left()) == 0 }) != nil {
		s.t.Errorf("left: %v", left())
	}
}

// must fails the test with an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Records go to a stream that is made with its group, with their own times.
func TestRecordsAreShipped(t *testing.T) {
	s := newShipping(t)
	s.begin()
	r := newRecords(s.output)
	must(t, r.Append(recordsName, recordsTarget(), events(1000, "one", "two")))
	s.waitRecords("one", "two")
	must(t, r.Append(recordsName, recordsTarget(), events(2000, "three")))
	must(t, r.Finish(recordsName, false))
	s.waitRecords("one", "two", "three")
	s.noFiles()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.sent {
		for _, e := range b.Events {
			if want := map[string]int64{"one": 1000, "two": 1001, "three": 2000}[e.Message]; e.Timestamp != want {
				t.Errorf("%s is of %d, want %d", e.Message, e.Timestamp, want)
			}
		}
	}
}

// A later process finds what an earlier one has not finished, and goes on with it.
func TestRecordsOutliveTheProcess(t *testing.T) {
	s := newShipping(t)
	s.away = true
	stop := s.begin()
	must(t, newRecords(s.output).Append(recordsName, recordsTarget(), events(1000, "one")))
	stop()

	s.mu.Lock()
	s.away = false
	s.mu.Unlock()
	s.output = newOutput(s.disk, s, Inotify{}, s.log)
	r := newRecords(s.output)
	names, err := r.Open()
	if err != nil || !slices.Equal(names, []string{recordsName}) {
		t.Fatalf("open: %v, %v", names, err)
	}
	must(t, r.Append(recordsName, recordsTarget(), events(2000, "two")))
	s.begin()
	s.waitRecords("one", "two")
	r = newRecords(s.output)
	if _, err := r.Open(); err != nil {
		t.Fatal(err)
	}
	must(t, r.Finish(recordsName, false))
	s.noFiles()
	if names, err := newRecords(s.output).Open(); err != nil || len(names) > 0 {
		t.Errorf("open: %v, %v", names, err)
	}
}

// A log group that is deleted comes back with the next record, unless the flow log is
// gone.
func TestDeletedGroupComesBack(t *testing.T) {
	s := newShipping(t)
	s.begin()
	r := newRecords(s.output)
	must(t, r.Append(recordsName, recordsTarget(), events(1000, "one")))
	s.waitRecords("one")
	s.plane.RemoveGroup("flows")
	must(t, r.Append(recordsName, recordsTarget(), events(2000, "two")))
	s.waitRecords("two")
	must(t, r.Finish(recordsName, false))
	s.noFiles()

	s.plane.RemoveGroup("flows")
	must(t, r.Append(recordsName, recordsTarget(), nil)) // a file without a stream
	must(t, r.Finish(recordsName, true))
	s.noFiles()
	if got := s.plane.Messages("flows", "eni-1-all"); len(got) > 0 {
		t.Errorf("the group came back with %q", got)
	}
}

// What a crash has cut short is left out, and spoils nothing behind it.
func TestRecordCutShort(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records")
	must(t, appendLines(path, events(1000, "one")))
	must(t, os.WriteFile(path, []byte("1000 one\n10"), 0o600))
	must(t, appendLines(path, events(2000, "two")))
	text, err := os.ReadFile(path)
	must(t, err)
	var got []string
	for _, l := range new(splitter).write(text) {
		if _, message := stamped(l.message); message != "" {
			got = append(got, message)
		}
	}
	if strings.Join(got, " ") != "one two" {
		t.Errorf("read %q from %q", got, text)
	}
	if err := appendLines(filepath.Join(path, "below"), events(1, "x")); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("appending below a file: %v", err)
	}
}
