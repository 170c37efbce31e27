//go:build e2e

package kernel

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"fargo/desired"
	"fargo/host"
)

// Whoever asks for an address that nobody has learns so at once, however many
// ask: what was sent to a task that has just gone is not to wait for nothing.
func TestUnusedAddressesRefuse(t *testing.T) {
	n := newTestNetwork(t, "a028")
	apply(t, n, host.Network{
		VPCs:       []desired.VPC{vpc("vpc-1", open)},
		Interfaces: []desired.Interface{eni(11, "vpc-1", "sg-open")},
	})
	const askers = 200
	ctx, cancel := context.WithTimeout(t.Context(), longer/2)
	defer cancel()
	var all sync.WaitGroup
	for range askers {
		all.Go(func() {
			c, err := n.DialInterfaceTCP(ctx, "eni-vpc-1-11", netip.MustParseAddrPort("172.31.0.77:80"))
			if err == nil {
				c.Close()
			}
			if !errors.Is(err, unix.EHOSTUNREACH) {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
