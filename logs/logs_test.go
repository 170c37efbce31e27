package logs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"

	"fargo"
	"fargo/desired"
)

var discard = slog.New(slog.DiscardHandler)

var testScope = fargo.Scope{Account: "123456789012", Region: "us-east-1"}

const day = 24 * int64(time.Hour/time.Millisecond)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir, discard)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newStore(t *testing.T) *Store {
	t.Helper()
	s := open(t, t.TempDir())
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func target(group, stream string) desired.LogTarget {
	return desired.LogTarget{Account: testScope.Account, Region: testScope.Region, Group: group, Stream: stream}
}

// events gives messages a time each, one millisecond apart.
func events(at int64, messages ...string) (es []desired.LogEvent) {
	for i, m := range messages {
		es = append(es, desired.LogEvent{Timestamp: at + int64(i), Message: m})
	}
	return es
}

func messages(es []Event) (ms []string) {
	for _, e := range es {
		ms = append(ms, e.Message)
	}
	return ms
}

func read(t *testing.T, s *Store, group, stream string, q Read) Page {
	t.Helper()
	p, err := s.Read(testScope, group, stream, q)
	must(t, err)
	return p
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: (-want +got)\n%s", what, diff)
	}
}

func TestAppendOncePerPosition(t *testing.T) {
	s, ctx := newStore(t), t.Context()
	b := desired.LogBatch{Target: target("g", "s"), Source: "f", From: 0, To: 10, Events: events(100, "a", "b")}
	if _, err := s.Append(ctx, b); !errors.Is(err, ErrNoGroup) {
		t.Fatalf("without a group: %v", err)
	}
	if err := s.OpenLog(ctx, b.Target); !errdefs.IsNotFound(err) {
		t.Fatalf("OpenLog without a group: %v", err)
	}
	b.Target.Create = true
	for range 2 {
		must(t, s.OpenLog(ctx, b.Target))
	}
	steps := []struct {
		source   string
		from, to int64
		message  string
		want     int64
	}{
		{"f", 0, 10, "a", 10},
		{"f", 0, 10, "a", 10},    // repeated
		{"f", 5, 20, "no", 10},   // overlaps: cannot be told apart
		{"f", 10, 20, "b", 20},   // goes on
		{"other", 0, 3, "c", 3},  // another file
		{"f", 30, 40, "gap", 40}, // a gap is the sender's to explain
		{"f", 10, 20, "b", 40},
	}
	for i, st := range steps {
		b.Source, b.From, b.To, b.Events = st.source, st.from, st.to, events(int64(100+i), st.message)
		to, err := s.Append(ctx, b)
		must(t, err)
		want(t, fmt.Sprint("position after step ", i), to, st.want)
	}
	p := read(t, s, "g", "s", Read{})
	want(t, "messages", messages(p.Events), []string{"a", "b", "c", "gap"})
	st, err := s.Stream(testScope, "g", "s")
	must(t, err)
	want(t, "stream", []int64{st.First, st.Last, st.Bytes}, []int64{100, 105, 6 + 4*EventOverhead})
	g, err := s.Group(testScope, "g")
	must(t, err)
	want(t, "group's bytes", g.Bytes, st.Bytes)
}

func TestEmptyMessagesAreNone(t *testing.T) {
	s := newStore(t)
	b := desired.LogBatch{Target: target("g", "s"), Source: "f", To: 3, Events: events(5, "", "x", "")}
	b.Target.Create = true
	must(t, s.OpenLog(t.Context(), b.Target))
	_, err := s.Append(t.Context(), b)
	must(t, err)
	want(t, "messages", messages(read(t, s, "g", "s", Read{}).Events), []string{"x"})
}

func TestReadBothWays(t *testing.T) {
	s, ctx := newStore(t), t.Context()
	must(t, s.CreateGroup(ctx, testScope, Group{Name: "g"}))
	must(t, s.CreateStream(ctx, testScope, "g", "s"))

	empty := read(t, s, "g", "s", Read{FromHead: true})
	again := read(t, s, "g", "s", Read{Token: empty.Forward})
	want(t, "tokens at the end of nothing", again, Page{Forward: empty.Forward, Backward: empty.Backward})

	must(t, s.Put(ctx, testScope, "g", "s", events(10, "a", "b", "c", "d", "e")))
	p := read(t, s, "g", "s", Read{Limit: 2})
	want(t, "newest page", messages(p.Events), []string{"d", "e"})
	end := p.Forward
	p = read(t, s, "g", "s", Read{Limit: 2, Token: p.Backward})
	want(t, "page before", messages(p.Events), []string{"b", "c"})
	p = read(t, s, "g", "s", Read{Limit: 2, Token: p.Backward})
	want(t, "first page", messages(p.Events), []string{"a"})
	stop := read(t, s, "g", "s", Read{Limit: 2, Token: p.Backward})
	want(t, "before the first", stop, Page{Forward: "f" + p.Backward[1:], Backward: p.Backward})
	p = read(t, s, "g", "s", Read{Limit: 2, Token: stop.Forward})
	want(t, "and forward again", messages(p.Events), []string{"a", "b"})

	same := read(t, s, "g", "s", Read{Token: end})
	want(t, "token at the end", same.Forward, end)
	must(t, s.Put(ctx, testScope, "g", "s", events(14, "e2", "f")))
	want(t, "what is new", messages(read(t, s, "g", "s", Read{Token: end}).Events), []string{"e2", "f"})

	p = read(t, s, "g", "s", Read{Start: 11, End: 13})
	want(t, "start inclusive, end exclusive", messages(p.Events), []string{"b", "c"})
	want(t, "forward token beyond the end", read(t, s, "g", "s", Read{Start: 11, End: 13, Token: p.Forward}).Forward, p.Forward)
	for _, bad := range []string{"x", "f/1/s", "g" + end[1:], end + "/", "f/" + (point{1, 99, 1}).String() + "/s"} {
		if _, err := s.Read(testScope, "g", "s", Read{Token: bad}); !errors.Is(err, ErrToken) {
			t.Errorf("token %q: %v", bad, err)
		}
	}
}

func TestPageHoldsOneMebibyte(t *testing.T) {
	s, ctx := newStore(t), t.Context()
	must(t, s.CreateGroup(ctx, testScope, Group{Name: "g"}))
	must(t, s.CreateStream(ctx, testScope, "g", "s"))
	big := string(make([]byte, 400<<10))
	must(t, s.Put(ctx, testScope, "g", "s", events(1, big, big, big, big+big+big)))
	var sizes []int
	for token := ""; ; {
		p := read(t, s, "g", "s", Read{FromHead: true, Token: token})
		if p.Forward == token {
			break
		}
		sizes, token = append(sizes, len(p.Events)), p.Forward
	}
	want(t, "events on pages", sizes, []int{2, 1, 1})
}

func TestRetention(t *testing.T) {
	s, ctx := newStore(t), t.Context()
	now := nowMillis()
	must(t, s.CreateGroup(ctx, testScope, Group{Name: "g"}))
	for _, name := range []string{"old", "both"} {
		must(t, s.CreateStream(ctx, testScope, "g", name))
	}
	must(t, s.Put(ctx, testScope, "g", "old", many(now-3*day, 2*sweepStep+10)))
	must(t, s.Put(ctx, testScope, "g", "both", append(events(now-3*day, "old"), events(now, "new")...)))
	must(t, s.UpdateGroup(ctx, testScope, "g", func(g *Group) error { g.RetentionDays = 1; return nil }))

	want(t, "visible in the stream", messages(read(t, s, "g", "both", Read{FromHead: true}).Events), []string{"new"})
	found, _, err := s.Search(ctx, testScope, "g", Search{})
	must(t, err)
	want(t, "visible in the group", messages(found), []string{"new"})

	run, stop := context.WithCancel(ctx)
	done := make(chan error)
	go func() { done <- s.Run(run) }()
	eventually(t, func() bool {
		g, err := s.Group(testScope, "g")
		must(t, err)
		return g.Bytes == 3+EventOverhead
	})
	stop()
	must(t, <-done)
	st, err := s.Stream(testScope, "g", "old")
	must(t, err)
	want(t, "emptied stream", []int64{st.First, st.Bytes}, []int64{0, 0})
	must(t, s.UpdateGroup(ctx, testScope, "g", func(g *Group) error { g.RetentionDays = 0; return nil }))
	found, _, err = s.Search(ctx, testScope, "g", Search{})
	must(t, err)
	want(t, "gone for good", messages(found), []string{"new"})
}

func many(at int64, n int) []desired.LogEvent {
	es := make([]desired.LogEvent, n)
	for i := range es {
		es[i] = desired.LogEvent{Timestamp: at, Message: "many"}
	}
	return es
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !ok() {
		select {
		case <-again.C:
		case <-deadline:
			t.Fatal("did not happen in time")
		}
	}
}

func TestDeleteGivesSpaceBack(t *testing.T) {
	s, ctx := newStore(t), t.Context()
	must(t, s.CreateGroup(ctx, testScope, Group{Name: "g"}))
	must(t, s.CreateStream(ctx, testScope, "g", "s0"))
	must(t, s.CreateStream(ctx, testScope, "g", "s1"))
	noise := make([]byte, 100<<10)
	seed := uint64(1)
	for i := range 100 { // 10 MB that do not compress
		for j := range noise {
			seed = seed*6364136223846793005 + 1442695040888963407
			noise[j] = byte(seed >> 56)
		}
		b := desired.LogBatch{Target: target("g", fmt.Sprint("s", i%2)), Source: "f", From: int64(i), To: int64(i + 1), Events: events(1, string(noise))}
		_, err := s.Append(ctx, b)
		must(t, err)
	}
	used := func() uint64 { // without the engine's log, which it uses again
		m := s.db.Metrics()
		return m.DiskSpaceUsage() - m.WAL.PhysicalSize - m.WAL.ObsoletePhysicalSize
	}
	if used() < 7<<20 {
		t.Fatalf("only %d bytes on disk", used())
	}
	must(t, s.DeleteStream(ctx, testScope, "g", "s0"))
	g, err := s.Group(testScope, "g")
	must(t, err)
	want(t, "bytes left", g.Bytes, int64(50*(len(noise)+EventOverhead)))
	must(t, s.DeleteGroup(ctx, testScope, "g"))
	eventually(t, func() bool { return used() < 64<<10 })
	if _, err := s.Read(testScope, "g", "s1", Read{}); !errors.Is(err, ErrNoGroup) {
		t.Errorf("read of a deleted group: %v", err)
	}
	must(t, s.CreateGroup(ctx, testScope, Group{Name: "g"}))
	must(t, s.CreateStream(ctx, testScope, "g", "s1"))
	want(t, "new namesake", len(read(t, s, "g", "s1", Read{}).Events), 0)
}

func TestTailNeverHoldsUpTheWriter(t *testing.T) {
	s, ctx := newStore(t), t.Context()
	must(t, s.CreateGroup(ctx, testScope, Group{Name: "g"}))
	tail := s.Tail(TailQuery{Scope: testScope, Groups: []string{"g", "h"}, Streams: []string{"x"}, Prefixes: []string{"p/"}})
	for _, name := range []string{"x", "y", "p/1"} {
		must(t, s.CreateStream(ctx, testScope, "g", name))
		must(t, s.Put(ctx, testScope, "g", name, events(7, "to "+name)))
	}
	got, dropped := tail.Take()
	var ms []string
	for _, e := range got {
		ms = append(ms, e.Group+" "+e.Stream+" "+e.Message)
	}
	want(t, "what passed", ms, []string{"g x to x", "g p/1 to p/1"})
	want(t, "dropped", dropped, false)
	stored := read(t, s, "g", "x", Read{}).Events[0]
	want(t, "same as stored", got[0].Event, stored)

	for range 3 {
		must(t, s.Put(ctx, testScope, "g", "x", many(8, maxTailEvents/2)))
	}
	got, dropped = tail.Take()
	want(t, "kept", len(got), maxTailEvents)
	want(t, "dropped", dropped, true)
	tail.Close()
	must(t, s.Put(ctx, testScope, "g", "x", events(9, "unseen")))
	got, _ = tail.Take()
	want(t, "after Close", len(got), 0)
}

func TestStreamsInPages(t *testing.T) {
	s, ctx := newStore(t), t.Context()
	must(t, s.CreateGroup(ctx, testScope, Group{Name: "g"}))
	for i, name := range []string{"a", "b:", "c", "pa", "pb"} {
		must(t, s.OpenLog(ctx, target("g", name)))
		if i != 2 {
			must(t, s.Put(ctx, testScope, "g", name, events(int64(100-i), "x")))
		}
	}
	pages := func(q StreamQuery) (names [][]string) {
		for {
			page, next, err := s.Streams(testScope, "g", q)
			must(t, err)
			var ns []string
			for _, st := range page {
				ns = append(ns, st.Name)
			}
			names = append(names, ns)
			if next == "" {
				return names
			}
			q.Token = next
		}
	}
	want(t, "by name", pages(StreamQuery{Limit: 2}), [][]string{{"a", "b:"}, {"c", "pa"}, {"pb"}})
	want(t, "by name, backwards", pages(StreamQuery{Limit: 3, Descending: true}), [][]string{{"pb", "pa", "c"}, {"b:", "a"}})
	want(t, "by prefix", pages(StreamQuery{Limit: 5, Prefix: "p"}), [][]string{{"pa", "pb"}})
	want(t, "by last event", pages(StreamQuery{Limit: 2, ByLastEvent: true}), [][]string{{"c", "pb"}, {"pa", "b:"}, {"a"}})
	want(t, "newest first", pages(StreamQuery{Limit: 4, ByLastEvent: true, Descending: true}), [][]string{{"a", "b:", "pa", "pb"}, {"c"}})
	if _, _, err := s.Streams(testScope, "g", StreamQuery{Limit: 1, Token: "zzz"}); !errors.Is(err, ErrToken) {
		t.Errorf("bad token: %v", err)
	}
}

func TestScopesAndGroups(t *testing.T) {
	s, ctx := newStore(t), t.Context()
	other := fargo.Scope{Account: testScope.Account, Region: "eu-west-1"}
	for _, n := range []string{"/b", "a", "a/b"} {
		must(t, s.CreateGroup(ctx, testScope, Group{Name: n, Tags: map[string]string{"k": "v"}}))
	}
	must(t, s.CreateGroup(ctx, other, Group{Name: "a"}))
	if err := s.CreateGroup(ctx, other, Group{Name: "a"}); !errors.Is(err, ErrGroupExists) {
		t.Errorf("twice: %v", err)
	}
	must(t, s.DeleteGroup(ctx, other, "a"))
	var names []string
	for _, g := range s.Groups(testScope) {
		names = append(names, g.Name)
	}
	want(t, "groups", names, []string{"/b", "a", "a/b"})
	want(t, "elsewhere", len(s.Groups(other)), 0)
	refusal := errors.New("no")
	if err := s.UpdateGroup(ctx, testScope, "a", func(g *Group) error { g.Tags["x"] = "y"; return refusal }); !errors.Is(err, refusal) {
		t.Errorf("refused change: %v", err)
	}
	g, err := s.Group(testScope, "a")
	must(t, err)
	want(t, "tags", g.Tags, map[string]string{"k": "v"})
	if err := s.CreateStream(ctx, testScope, "none", "s"); !errors.Is(err, ErrNoGroup) {
		t.Errorf("stream without group: %v", err)
	}
	must(t, s.CreateStream(ctx, testScope, "a", "s"))
	if err := s.CreateStream(ctx, testScope, "a", "s"); !errors.Is(err, ErrStreamExists) {
		t.Errorf("stream twice: %v", err)
	}
	if err := s.Put(ctx, testScope, "a", "t", nil); !errors.Is(err, ErrNoStream) {
		t.Errorf("put without stream: %v", err)
	}
}
