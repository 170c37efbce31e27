package kernel

import (
	"fmt"

	"github.com/vishvananda/netlink"

	"fargo/host"
)

// InterfaceStatistics counts what has gone through a task's interface. It fails when there
// is none.
func (n *Network) InterfaceStatistics(interfaceID string) (s host.InterfaceStatistics, err error) {
	err = n.inside(interfaceID, func() error {
		link, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		if of := link.Attrs().Statistics; of != nil {
			s.Received = host.PacketStatistics{Bytes: of.RxBytes, Packets: of.RxPackets, Errors: of.RxErrors, Dropped: of.RxDropped}
			s.Sent = host.PacketStatistics{Bytes: of.TxBytes, Packets: of.TxPackets, Errors: of.TxErrors, Dropped: of.TxDropped}
		}
		return nil
	})
	if err != nil {
		return s, fmt.Errorf("statistics of interface %s: %w", interfaceID, err)
	}
	return s, nil
}
