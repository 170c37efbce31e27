package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"fargo/host"
)

// The packet filter of a router logs what it drops to these groups of nflog: what it drops
// on the way out of an interface, and on the way into one.
const (
	rejectedOutbound uint16 = 1
	rejectedInbound  uint16 = 2
)

// logRejected is the term before the verdict that drops a packet. Without a reader the
// kernel does nothing. Source: nft(8), "log group".
func logRejected(group uint16) term {
	return term{fmt.Sprintf("log group %d snaplen %d", group, headerBytes), []expr.Any{
		&expr.Log{Group: group, Snaplen: headerBytes, Key: 1<<unix.NFTA_LOG_GROUP | 1<<unix.NFTA_LOG_SNAPLEN},
	}}
}

// headerBytes is how much of a packet is logged: its IP header with options, and the
// beginning of what follows.
const headerBytes = 96

// Of linux/netfilter/nfnetlink_log.h.
const (
	nflogPacket    = 0
	nflogConfigure = 1

	nflogConfigCommand = 1
	nflogConfigMode    = 2
	nflogBind          = 1
	nflogCopyPacket    = 2

	nflogPayload = 9
)

// rejectReader reads the packets that are logged to both groups.
type rejectReader struct{ conn *netlink.Conn }

func newRejectReader(config *netlink.Config) (*rejectReader, error) {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, config)
	if err != nil {
		return nil, err
	}
	r := &rejectReader{conn}
	err = conn.SetReadBuffer(flowBuffer)
	for _, group := range []uint16{rejectedOutbound, rejectedInbound} {
		err = errors.Join(err, r.bind(group))
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("bind to nflog: %w", err)
	}
	return r, nil
}

// bind asks for the packets of a group.
func (r *rejectReader) bind(group uint16) error {
	e := netlink.NewAttributeEncoder()
	e.Bytes(nflogConfigCommand, []byte{nflogBind})
	mode := binary.BigEndian.AppendUint32(nil, headerBytes)
	e.Bytes(nflogConfigMode, append(mode, nflogCopyPacket, 0))
	attrs, err := e.Encode()
	if err != nil {
		return err
	}
	// struct nfgenmsg: family, version, and the group in network order.
	head := binary.BigEndian.AppendUint16([]byte{unix.AF_UNSPEC, unix.NFNETLINK_V0}, group)
	_, err = r.conn.Execute(netlink.Message{
		Header: netlink.Header{Type: netlink.HeaderType(unix.NFNL_SUBSYS_ULOG<<8 | nflogConfigure), Flags: netlink.Request | netlink.Acknowledge},
		Data:   append(head, attrs...),
	})
	return err
}

// read passes rejected packets on until send says that it is enough, or the socket is
// closed.
func (r *rejectReader) read(send func(host.FlowEvent) bool) {
	for {
		messages, err := r.conn.Receive()
		switch {
		case errors.Is(err, unix.ENOBUFS):
			if !send(host.FlowEvent{Lost: true}) {
				return
			}
		case err != nil:
			return
		}
		for _, m := range messages {
			if rejection, ok := rejectionIn(m); ok && !send(host.FlowEvent{Rejected: rejection}) {
				return
			}
		}
	}
}

func (r *rejectReader) close() { r.conn.Close() }

// rejectionIn reads a message of nflog.
func rejectionIn(m netlink.Message) (*host.Rejection, bool) {
	if m.Header.Type != unix.NFNL_SUBSYS_ULOG<<8|nflogPacket || len(m.Data) < 4 {
		return nil, false
	}
	d, err := netlink.NewAttributeDecoder(m.Data[4:])
	if err != nil {
		return nil, false
	}
	rejection, found := &host.Rejection{Inbound: binary.BigEndian.Uint16(m.Data[2:]) == rejectedInbound}, false
	for d.Next() {
		if d.Type() == nflogPayload {
			found = parsePacket(d.Bytes(), rejection)
		}
	}
	return rejection, found && d.Err() == nil
}

// parsePacket reads the headers of an IP packet, of which the end may be missing. It
// reports whether it is one.
func parsePacket(b []byte, into *host.Rejection) bool {
	if len(b) == 0 {
		return false
	}
	var from, to netip.Addr
	switch b[0] >> 4 {
	case 4:
		head := int(b[0]&0x0f) * 4
		if head < 20 || len(b) < head {
			return false
		}
		into.Bytes, into.Protocol = uint64(binary.BigEndian.Uint16(b[2:])), b[9]
		from, to = netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))
		if binary.BigEndian.Uint16(b[6:])&0x1fff != 0 {
			head = len(b) // a later fragment: no header follows
		}
		b = b[head:]
	case 6:
		if len(b) < 40 {
			return false
		}
		into.Bytes, into.Protocol = 40+uint64(binary.BigEndian.Uint16(b[4:])), b[6]
		from, to = netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:]))
		b = b[40:]
	default:
		return false
	}
	var source, destination uint16
	if hasPorts(into.Protocol) && len(b) >= 4 {
		source, destination = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	}
	if into.Protocol == unix.IPPROTO_TCP && len(b) >= 14 {
		into.TCPFlags = b[13]
	}
	into.Tuple = host.Tuple{Source: netip.AddrPortFrom(from, source), Destination: netip.AddrPortFrom(to, destination)}
	return true
}

func hasPorts(protocol uint8) bool {
	switch protocol {
	case unix.IPPROTO_TCP, unix.IPPROTO_UDP, unix.IPPROTO_SCTP, unix.IPPROTO_DCCP, unix.IPPROTO_UDPLITE:
		return true
	}
	return false
}
