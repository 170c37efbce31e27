package flowlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"time"

	"fargo/desired"
	"fargo/host"
)

// minute is how often connections are counted.
const minute = time.Minute

// Network has the routers of VPCs.
type Network interface {
	// ObserveFlows watches the router of a VPC that is there.
	ObserveFlows(vpc string) (host.FlowObserver, error)
}

// Sink takes records to log streams, whether or not the control plane is there.
type Sink interface {
	// Open are the names of what was appended to and has not been finished, by this
	// process or one before.
	Open() ([]string, error)
	// Append adds events under a name, which stands for one target.
	Append(name string, target desired.LogTarget, events []desired.LogEvent) error
	// Finish says that nothing more comes under a name. When discard is true, no stream
	// is made for what has none.
	Finish(name string, discard bool) error
}

// Writer writes the flow logs of one node.
type Writer struct {
	network Network
	log     *slog.Logger
	follow  chan request

	// What follows belongs to Run's goroutine.
	sink     Sink
	previous map[string]bool // names that an earlier process has left open
	vpcs     map[string]*desired.VPC
	routers  map[string]*router
	streams  map[string]*stream // by their names
}

// request is a desired state, and where to say what came of it.
type request struct {
	state desired.State
	done  chan error
}

// New makes a writer; Run runs it.
func New(network Network, log *slog.Logger) *Writer {
	return &Writer{
		network: network, log: log, follow: make(chan request),
		routers: map[string]*router{}, streams: map[string]*stream{},
	}
}

// Follow makes the writer write the flow logs of d, whose VPCs are there. It returns when
// it has let go of those that are not in d.
func (w *Writer) Follow(ctx context.Context, d desired.State) error {
	r := request{d, make(chan error, 1)}
	select {
	case w.follow <- r:
		return <-r.done
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run writes flow logs to sink until ctx ends. Then it writes what it has.
func (w *Writer) Run(ctx context.Context, sink Sink) error {
	w.sink, w.previous = sink, map[string]bool{}
	open, err := sink.Open()
	if err != nil {
		return fmt.Errorf("flow logs: %w", err)
	}
	for _, name := range open {
		w.previous[name] = true
	}
	for {
		now := time.Now()
		tick := time.NewTimer(now.Truncate(minute).Add(minute).Sub(now))
		select {
		case <-ctx.Done():
			tick.Stop()
			return w.stop()
		case r := <-w.follow:
			r.done <- w.set(r.state)
		case <-tick.C:
			w.tick(time.Now().Truncate(minute))
		}
		tick.Stop()
	}
}

// set makes the routers and streams those of d.
func (w *Writer) set(d desired.State) error {
	now := time.Now()
	logs := map[string]*desired.FlowLog{}
	observed := map[string]bool{}
	for i := range d.FlowLogs {
		logs[d.FlowLogs[i].ID] = &d.FlowLogs[i]
		observed[d.FlowLogs[i].VPC] = true
	}
	vpcs := map[string]*desired.VPC{}
	for i := range d.VPCs {
		vpcs[d.VPCs[i].ID] = &d.VPCs[i]
	}
	wanted := w.wanted(d.Logged, logs, now)
	w.endLogs(logs, now)
	w.leaveRouters(func(id string) bool { return observed[id] && vpcs[id] != nil })
	w.vpcs = vpcs
	err := w.observeRouters(observed)
	for name, s := range w.streams {
		s.ending = wanted[name] == nil
	}
	for name, s := range wanted {
		if had := w.streams[name]; had != nil {
			had.log, had.of = s.log, s.of
		} else {
			w.streams[name] = s
		}
	}
	w.endPrevious()
	return err
}

// wanted are the streams that are desired, by name.
func (w *Writer) wanted(logged []desired.LoggedInterface, logs map[string]*desired.FlowLog, now time.Time) map[string]*stream {
	wanted := map[string]*stream{}
	for _, i := range logged {
		for _, id := range i.FlowLogs {
			if logs[id] == nil {
				continue
			}
			s := newStream(logs[id], i, now)
			if name := s.name(); w.previous[name] {
				// What crossed the interface while no process was there is lost.
				s.active, s.lost, s.start = true, true, now.Truncate(s.log.Interval)
				if w.streams[name] == nil {
					delete(w.previous, name)
				}
			}
			wanted[s.name()] = s
		}
	}
	return wanted
}

// endLogs writes and ends the streams of flow logs that are gone, at once: their log
// groups may be next.
func (w *Writer) endLogs(logs map[string]*desired.FlowLog, now time.Time) {
	counted := map[string]bool{}
	for _, s := range w.streams {
		if logs[s.log.ID] == nil {
			if !counted[s.log.VPC] {
				counted[s.log.VPC] = true
				w.count(s.log.VPC)
			}
			s.ending, s.discard = true, true
			w.flush(s, now)
		}
	}
}

// endPrevious ends what an earlier process has left of streams that nobody wants any more.
func (w *Writer) endPrevious() {
	for name := range w.previous {
		w.finish(name, true)
	}
	clear(w.previous)
}

// leaveRouters lets go of the routers that are not to be observed any more.
func (w *Writer) leaveRouters(stays func(id string) bool) {
	for id, r := range w.routers {
		if stays(id) {
			continue
		}
		w.count(id)
		w.close(id, r)
	}
}

func (w *Writer) close(id string, r *router) {
	if err := r.close(); err != nil {
		w.log.Warn("flow logs: an observer was not closed", "vpc", id, "err", err)
	}
	delete(w.routers, id)
}

// observeRouters observes the routers that are not observed yet.
func (w *Writer) observeRouters(observed map[string]bool) error {
	var errs []error
	for id := range observed {
		if w.routers[id] != nil || w.vpcs[id] == nil {
			continue
		}
		r, err := observe(w.network, id)
		if err != nil {
			errs = append(errs, fmt.Errorf("flow logs of %s: %w", id, err))
			w.skip(id)
			continue
		}
		w.routers[id] = r
	}
	return errors.Join(errs...)
}

// tick counts all connections and writes the windows that end now. A router whose
// observer has ended is observed anew.
func (w *Writer) tick(now time.Time) {
	var ended []string
	for id, r := range w.routers {
		if r.ended() {
			ended = append(ended, id)
			w.skip(id)
		}
		w.count(id)
	}
	for _, name := range slices.Sorted(maps.Keys(w.streams)) {
		if s := w.streams[name]; s.due(now) {
			w.flush(s, now)
		}
	}
	again := map[string]bool{}
	for _, id := range ended {
		w.close(id, w.routers[id])
		again[id] = true
	}
	if err := w.observeRouters(again); err != nil {
		w.log.Error("flow logs are not written", "err", err)
	}
}

// count adds what has crossed a router since the last time to the streams of its
// interfaces.
func (w *Writer) count(vpc string) {
	r := w.routers[vpc]
	if r == nil {
		return
	}
	all, lost := r.take()
	if lost {
		w.skip(vpc)
	}
	if w.vpcs[vpc] == nil {
		return
	}
	owners := w.owners(vpc)
	for k, v := range all {
		if streams := owners[k.local]; len(streams) > 0 && !k.excluded(w.vpcs[vpc]) {
			k = k.of(&streams[0].of)
			for _, s := range streams {
				s.add(k, v)
			}
		}
	}
}

// owners are the streams of the interface with an address. One that is gone owns an
// address until another has it.
func (w *Writer) owners(vpc string) map[netip.Addr][]*stream {
	owners := map[netip.Addr][]*stream{}
	for _, ending := range []bool{false, true} {
		found := map[netip.Addr][]*stream{}
		for _, s := range w.streams {
			if s.log.VPC == vpc && s.ending == ending {
				for _, a := range append([]netip.Addr{s.of.Address, s.of.Public}, s.of.IPv6...) {
					found[a] = append(found[a], s)
				}
			}
		}
		for a, s := range found {
			if a.IsValid() && owners[a] == nil {
				owners[a] = s
			}
		}
	}
	return owners
}

// of is the key as the interface has it: the public address of a NAT gateway stands for
// its private one.
func (k key) of(i *desired.LoggedInterface) key {
	if k.local != i.Public {
		return k
	}
	if k.inbound {
		k.tuple.Destination = netip.AddrPortFrom(i.Address, k.tuple.Destination.Port())
	} else {
		k.tuple.Source = netip.AddrPortFrom(i.Address, k.tuple.Source.Port())
	}
	return k
}

// skip notes that something of a VPC was not seen.
func (w *Writer) skip(vpc string) {
	for _, s := range w.streams {
		if s.log.VPC == vpc {
			s.lost = true
		}
	}
}

// flush writes the records of a stream's window, and ends it if there is no other window.
func (w *Writer) flush(s *stream, now time.Time) {
	vpc := w.vpcs[s.log.VPC]
	if vpc == nil {
		vpc = &desired.VPC{}
	}
	begun := s.active
	if events := s.close(vpc, now); len(events) > 0 {
		if err := w.sink.Append(s.name(), s.target(), events); err != nil {
			w.log.Error("records of a flow log are lost", "flowlog", s.log.ID, "interface", s.of.ID, "err", err)
			s.lost = true
		}
	}
	if s.ending {
		delete(w.streams, s.name())
		if begun {
			w.finish(s.name(), s.discard)
		}
	}
}

func (w *Writer) finish(name string, discard bool) {
	if err := w.sink.Finish(name, discard); err != nil {
		w.log.Error("a file of a flow log is left", "name", name, "err", err)
	}
}

// stop writes what there is of all windows and lets go of the routers.
func (w *Writer) stop() error {
	now := time.Now()
	var errs []error
	for id, r := range w.routers {
		w.count(id)
		errs = append(errs, r.close())
	}
	for _, name := range slices.Sorted(maps.Keys(w.streams)) {
		if s := w.streams[name]; len(s.window) > 0 {
			w.flush(s, now)
		}
	}
	return errors.Join(errs...)
}
