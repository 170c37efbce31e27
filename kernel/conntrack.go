package kernel

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"

	"github.com/mdlayher/netlink"
	"github.com/ti-mo/conntrack"
	"github.com/ti-mo/netfilter"
	"golang.org/x/sys/unix"

	"fargo/host"
)

// flowBuffer is how many bytes of reports the kernel keeps for a reader that is behind.
const flowBuffer = 8 << 20

// flowEvents are the reports of the connection tracker that are asked for.
// Source: linux/netfilter/nfnetlink_compat.h.
var flowEvents = []netfilter.NetlinkGroup{netfilter.GroupCTNew, netfilter.GroupCTDestroy}

// flowObserver watches the connection tracker and the packet filter of one router.
type flowObserver struct {
	ns      *os.File
	dump    *conntrack.Conn // asked for all flows
	rejects *rejectReader
	events  chan host.FlowEvent
	closed  chan struct{}
	once    sync.Once // of stop
	all     sync.WaitGroup
}

// HasInterface reports whether an interface is on this machine.
func (n *Network) HasInterface(id string) bool {
	bound, err := isNamespace(n.machine.path(id))
	return err == nil && bound
}

// ObserveFlows watches the connections through the router of a VPC, and what its packet
// filter rejects. Packets are counted from now on: of connections that were there before
// the first observer, the kernel may have no counts. The caller closes the observer
// before the VPC is removed, which else lives on.
func (n *Network) ObserveFlows(vpc string) (host.FlowObserver, error) {
	ns, err := os.Open(n.machine.path(vpc))
	if err != nil {
		return nil, fmt.Errorf("network namespace of %s: %w", vpc, err)
	}
	o := &flowObserver{ns: ns, events: make(chan host.FlowEvent, 1024), closed: make(chan struct{})}
	reports, err := o.open()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("observe flows of %s: %w", vpc, err), o.Close())
	}
	o.all.Go(func() { o.readTracker(reports) })
	o.all.Go(func() { o.rejects.read(o.send) })
	go func() {
		o.all.Wait()
		close(o.events)
	}()
	return o, nil
}

func (o *flowObserver) open() (*trackerReports, error) {
	if err := inside(o.ns, sysctl{"net/netfilter/nf_conntrack_acct", "1"}.write); err != nil {
		return nil, err
	}
	var err error
	if o.dump, err = conntrack.Dial(o.config()); err != nil {
		return nil, err
	}
	if o.rejects, err = newRejectReader(o.config()); err != nil {
		return nil, err
	}
	return o.subscribe()
}

func (o *flowObserver) config() *netlink.Config { return &netlink.Config{NetNS: int(o.ns.Fd())} }

// Events implements [host.FlowObserver].
func (o *flowObserver) Events() <-chan host.FlowEvent { return o.events }

// send reports whether there is still anybody to read.
func (o *flowObserver) send(e host.FlowEvent) bool {
	select {
	case o.events <- e:
		return true
	case <-o.closed:
		return false
	}
}

// trackerReports are the reports of the connection tracker from one socket.
type trackerReports struct {
	conn   *conntrack.Conn
	events chan conntrack.Event
	failed chan error
}

func (o *flowObserver) subscribe() (*trackerReports, error) {
	conn, err := conntrack.Dial(o.config())
	if err != nil {
		return nil, err
	}
	r := &trackerReports{conn: conn, events: make(chan conntrack.Event, 1024)}
	if err = conn.SetReadBuffer(flowBuffer); err == nil {
		r.failed, err = conn.Listen(r.events, 1, flowEvents)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return r, nil
}

// close closes the socket. The library waits for its reader, which may be about to pass
// something on.
func (r *trackerReports) close() {
	done := make(chan struct{})
	go func() {
		r.conn.Close()
		close(done)
	}()
	for {
		select {
		case <-r.events:
		case <-r.failed: //nolint:errcheck // it is being closed
		case <-done:
			return
		}
	}
}

// readTracker passes the tracker's reports on. A socket that has lost some is replaced.
func (o *flowObserver) readTracker(r *trackerReports) {
	defer o.stop()
	for {
		again := o.follow(r)
		r.close()
		if !again || !o.send(host.FlowEvent{Lost: true}) {
			return
		}
		var err error
		if r, err = o.subscribe(); err != nil {
			return
		}
	}
}

// follow reads until the socket fails, and then reports true.
func (o *flowObserver) follow(r *trackerReports) (failed bool) {
	for {
		select {
		case <-o.closed:
			return false
		case <-r.failed: //nolint:errcheck // whatever it was, the socket is replaced
			return true
		case report := <-r.events:
			if e, ok := flowEvent(report); ok && !o.send(e) {
				return false
			}
		}
	}
}

// stop ends the readers.
func (o *flowObserver) stop() {
	o.once.Do(func() {
		close(o.closed)
		if o.rejects != nil {
			o.rejects.close()
		}
	})
}

// Flows implements [host.FlowObserver].
func (o *flowObserver) Flows() ([]host.Flow, error) {
	all, err := o.dump.Dump(nil)
	if err != nil {
		return nil, fmt.Errorf("list connections: %w", err)
	}
	flows := make([]host.Flow, len(all))
	for i := range all {
		flows[i] = flowOf(&all[i])
	}
	return flows, nil
}

// Close implements [host.FlowObserver].
func (o *flowObserver) Close() error {
	o.stop()
	o.all.Wait()
	var err error
	if o.dump != nil {
		err = o.dump.Close()
	}
	return errors.Join(err, o.ns.Close())
}

func flowEvent(r conntrack.Event) (host.FlowEvent, bool) {
	if r.Flow == nil {
		return host.FlowEvent{}, false
	}
	f := flowOf(r.Flow)
	switch r.Type {
	case conntrack.EventNew:
		return host.FlowEvent{Begun: &f}, true
	case conntrack.EventDestroy:
		return host.FlowEvent{Ended: &f}, true
	}
	return host.FlowEvent{}, false
}

func flowOf(f *conntrack.Flow) host.Flow {
	return host.Flow{
		ID: f.ID, Protocol: f.TupleOrig.Proto.Protocol, Original: tupleOf(&f.TupleOrig), Reply: tupleOf(&f.TupleReply),
		Sent:     host.Traffic{Packets: f.CountersOrig.Packets, Bytes: f.CountersOrig.Bytes},
		Answered: host.Traffic{Packets: f.CountersReply.Packets, Bytes: f.CountersReply.Bytes},
	}
}

// tupleOf leaves out what takes the place of ports in ICMP.
func tupleOf(t *conntrack.Tuple) host.Tuple {
	p := t.Proto
	if p.Protocol == unix.IPPROTO_ICMP || p.Protocol == unix.IPPROTO_ICMPV6 {
		p.SourcePort, p.DestinationPort = 0, 0
	}
	return host.Tuple{
		Source:      netip.AddrPortFrom(t.IP.SourceAddress.Unmap(), p.SourcePort),
		Destination: netip.AddrPortFrom(t.IP.DestinationAddress.Unmap(), p.DestinationPort),
	}
}
