package flowlog

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"fargo/desired"
)

// A stream is a flow log's for one interface.
type stream struct {
	log    *desired.FlowLog
	of     desired.LoggedInterface
	window tallies
	start  time.Time // of the window
	// active says that records were written, or there is traffic to be: before, an
	// interface has no stream.
	active  bool
	lost    bool // something of the window
	ending  bool // the interface is gone, or the flow log
	discard bool // the flow log is gone
}

func newStream(log *desired.FlowLog, of desired.LoggedInterface, now time.Time) *stream {
	return &stream{log: log, of: of, window: tallies{}, start: now}
}

// name is unique among streams.
func (s *stream) name() string { return s.log.ID + "." + s.of.ID }

func (s *stream) target() desired.LogTarget {
	t := s.log.Target
	t.Stream = s.log.Stream(s.of.ID)
	return t
}

// add takes in traffic of its interface, if it is of the kind that the flow log records.
func (s *stream) add(k key, v tally) {
	if s.log.Traffic == desired.FlowAccepted && k.rejected || s.log.Traffic == desired.FlowRejected && !k.rejected {
		return
	}
	s.window.add(k, v)
	s.active = true
}

// due reports whether a window ends now.
func (s *stream) due(now time.Time) bool {
	return s.ending || !now.Before(s.start.Truncate(s.log.Interval).Add(s.log.Interval))
}

// close ends the window and gives its records.
func (s *stream) close(vpc *desired.VPC, now time.Time) (events []desired.LogEvent) {
	add := func(r record) {
		r.log, r.of = s.log, &s.of
		events = append(events, desired.LogEvent{Timestamp: r.start.UnixMilli(), Message: r.String()})
	}
	for _, k := range slices.SortedFunc(maps.Keys(s.window), s.order) {
		r := record{status: statusOK, key: k, tally: s.window[k]}
		if !k.inbound {
			r.path = path(vpc, s.of.Subnet, k.tuple.Destination.Addr())
		}
		add(r)
	}
	times := tally{start: s.start, end: now}
	switch {
	case !s.active:
	case s.lost:
		add(record{status: statusSkipData, tally: times})
	case len(s.window) == 0:
		add(record{status: statusNoData, tally: times})
	}
	s.window, s.start, s.lost = tallies{}, now, false
	return events
}

// order is that of the records of a window: by when they begin.
func (s *stream) order(a, b key) int {
	text := func(k key) string {
		return strings.Join([]string{k.tuple.Source.String(), k.tuple.Destination.String(), either(k.packet.source, netip.Addr{}), either(k.packet.destination, netip.Addr{})}, " ")
	}
	flag := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	return cmp.Or(s.window[a].start.Compare(s.window[b].start), cmp.Compare(a.protocol, b.protocol),
		cmp.Compare(flag(a.inbound), flag(b.inbound)), cmp.Compare(flag(a.rejected), flag(b.rejected)), cmp.Compare(text(a), text(b)))
}
