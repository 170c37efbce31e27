package logs

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"fargo/desired"
)

// model is a group as plain slices.
type model struct {
	streams map[string]*modelStream
}

type modelStream struct {
	created int // how many streams were made before
	events  []modelEvent
	held    map[string]int64
}

type modelEvent struct {
	time    int64
	message string
	order   int
}

func (m *model) names() []string {
	var names []string
	for n := range m.streams {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// sorted gives a stream's events as a reader sees them.
func (s *modelStream) sorted(start, end int64) []modelEvent {
	var es []modelEvent
	for _, e := range s.events {
		if e.time >= start && (end == 0 || e.time < end) {
			es = append(es, e)
		}
	}
	slices.SortStableFunc(es, func(a, b modelEvent) int { return cmp.Compare(a.time, b.time) })
	return es
}

// TestStoreMatchesModel does anything to a store and to plain slices, opening the
// store anew now and then, and compares all that can be read.
func TestStoreMatchesModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := &harness{fs: vfs.NewMem(), t: t, model: &model{streams: map[string]*modelStream{}}}
		h.open(rt)
		defer func() { h.Close() }()
		check(rt, h.CreateGroup(t.Context(), testScope, Group{Name: "g"}))
		rt.Repeat(map[string]func(*rapid.T){
			"":       h.compare,
			"create": h.create,
			"delete": h.remove,
			"put":    h.put,
			"append": h.append,
			"search": h.search,
			"read":   h.read,
			"reopen": h.reopen,
		})
	})
}

type harness struct {
	*Store
	fs    vfs.FS
	t     *testing.T
	model *model
	made  int
	count int
}

func check(rt *rapid.T, err error) {
	if err != nil {
		rt.Fatal(err)
	}
}

func (h *harness) stream(rt *rapid.T) (string, *modelStream) {
	names := h.model.names()
	if len(names) == 0 {
		rt.Skip("no streams")
	}
	name := rapid.SampledFrom(names).Draw(rt, "stream")
	return name, h.model.streams[name]
}

func (h *harness) create(rt *rapid.T) {
	name := rapid.SampledFrom([]string{"a", "ab", "b", "c/d"}).Draw(rt, "name")
	err := h.CreateStream(h.t.Context(), testScope, "g", name)
	if (err != nil) != (h.model.streams[name] != nil) {
		rt.Fatalf("create %s: %v", name, err)
	}
	if err == nil {
		h.made++
		h.model.streams[name] = &modelStream{created: h.made, held: map[string]int64{}}
	}
}

func (h *harness) remove(rt *rapid.T) {
	name, _ := h.stream(rt)
	check(rt, h.DeleteStream(h.t.Context(), testScope, "g", name))
	delete(h.model.streams, name)
}

// events draws some and, in the model, adds those that taken lets in.
func (h *harness) events(rt *rapid.T, s *modelStream, taken bool) (events []desired.LogEvent) {
	for _, at := range rapid.SliceOfN(rapid.Int64Range(1, 30), 0, 8).Draw(rt, "times") {
		h.count++
		e := modelEvent{at, fmt.Sprint("m", h.count), h.count}
		events = append(events, desired.LogEvent{Timestamp: e.time, Message: e.message})
		if taken {
			s.events = append(s.events, e)
		}
	}
	return events
}

func (h *harness) put(rt *rapid.T) {
	name, s := h.stream(rt)
	check(rt, h.Put(h.t.Context(), testScope, "g", name, h.events(rt, s, true)))
}

func (h *harness) append(rt *rapid.T) {
	name, s := h.stream(rt)
	source := rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "source")
	from := max(0, s.held[source]+rapid.Int64Range(-2, 1).Draw(rt, "from"))
	b := desired.LogBatch{Target: target("g", name), Source: source, From: from, To: from + rapid.Int64Range(0, 5).Draw(rt, "length")}
	taken := from >= s.held[source]
	b.Events = h.events(rt, s, taken)
	to, err := h.Append(h.t.Context(), b)
	check(rt, err)
	if taken {
		s.held[source] = b.To
	}
	if to != s.held[source] {
		rt.Fatalf("append [%d, %d) answered %d, want %d", b.From, b.To, to, s.held[source])
	}
}

func (h *harness) span(rt *rapid.T) (start, end int64) {
	return rapid.Int64Range(0, 31).Draw(rt, "start"), rapid.Int64Range(0, 31).Draw(rt, "end")
}

// read goes through a stream in small pages, forward or backward.
func (h *harness) read(rt *rapid.T) {
	name, s := h.stream(rt)
	start, end := h.span(rt)
	q := Read{Start: start, End: end, FromHead: rapid.Bool().Draw(rt, "fromHead"), Limit: rapid.IntRange(1, 4).Draw(rt, "limit")}
	var got []string
	for {
		p, err := h.Read(testScope, "g", name, q)
		check(rt, err)
		next := p.Backward
		if q.FromHead {
			next = p.Forward
			got = append(got, messages(p.Events)...)
		} else {
			got = append(messages(p.Events), got...)
		}
		if next == q.Token || q.Token == "" && len(p.Events) == 0 {
			break
		}
		q.Token = next
	}
	same(rt, got, s.sorted(start, end))
}

// search goes through the group in small pages.
func (h *harness) search(rt *rapid.T) {
	start, end := h.span(rt)
	prefix := rapid.SampledFrom([]string{"", "a", "c/"}).Draw(rt, "prefix")
	digit := rapid.SampledFrom([]string{"", "1", "5"}).Draw(rt, "digit")
	q := Search{
		Prefix: prefix, Start: start, End: end, Limit: rapid.IntRange(1, 4).Draw(rt, "limit"),
		Match: func(m string) bool { return strings.Contains(m, digit) },
	}
	backward := rapid.Bool().Draw(rt, "backward")
	q.Backward = backward
	var got []string
	for {
		events, next, err := h.Search(h.t.Context(), testScope, "g", q)
		check(rt, err)
		got = append(got, messages(events)...)
		q.Backward = false // which the token knows
		if q.Token = next; next == "" {
			break
		}
	}
	want := h.model.search(start, end, prefix, digit)
	if backward {
		slices.Reverse(want)
	}
	same(rt, got, want)
}

func (m *model) search(start, end int64, prefix, digit string) (found []modelEvent) {
	type placed struct {
		modelEvent
		stream int
	}
	var all []placed
	for name, s := range m.streams {
		for _, e := range s.sorted(start, end) {
			if strings.HasPrefix(name, prefix) && strings.Contains(e.message, digit) {
				all = append(all, placed{e, s.created})
			}
		}
	}
	slices.SortFunc(all, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.stream, b.stream), cmp.Compare(a.order, b.order))
	})
	for _, p := range all {
		found = append(found, p.modelEvent)
	}
	return found
}

func same(rt *rapid.T, got []string, want []modelEvent) {
	var messages []string
	for _, e := range want {
		messages = append(messages, e.message)
	}
	if !slices.Equal(got, messages) {
		rt.Fatalf("got %v, want %v", got, messages)
	}
}

func (h *harness) reopen(rt *rapid.T) {
	check(rt, h.Close())
	h.open(rt)
}

func (h *harness) open(rt *rapid.T) {
	s, err := openOn(h.fs, "logs", slog.New(slog.DiscardHandler))
	check(rt, err)
	h.Store = s
}

// compare looks at what streams and group say of themselves.
func (h *harness) compare(rt *rapid.T) {
	page, _, err := h.Streams(testScope, "g", StreamQuery{Limit: 50})
	check(rt, err)
	var names []string
	var total int64
	for _, st := range page {
		names = append(names, st.Name)
		var first, last, bytes int64
		for _, e := range h.model.streams[st.Name].sorted(0, 0) {
			if first == 0 {
				first = e.time
			}
			last = e.time
			bytes += int64(len(e.message)) + EventOverhead
		}
		if st.First != first || st.Last != last || st.Bytes != bytes {
			rt.Fatalf("stream %+v, want first %d, last %d, bytes %d", st, first, last, bytes)
		}
		total += bytes
	}
	if want := h.model.names(); !slices.Equal(names, want) {
		rt.Fatalf("streams %v, want %v", names, want)
	}
	g, err := h.Group(testScope, "g")
	check(rt, err)
	if g.Bytes != total {
		rt.Fatalf("group has %d bytes, want %d", g.Bytes, total)
	}
}
