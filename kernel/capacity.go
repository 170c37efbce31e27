package kernel

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strings"

	"github.com/vishvananda/netlink"
)

// Capacity is what the machine has: processors that this process may use, in ECS
// units (1024 are one), and memory in MiB.
func Capacity() (cpu, memory int64, err error) {
	of, err := machineSize()
	if err != nil {
		return 0, 0, fmt.Errorf("size of the machine: %w", err)
	}
	return int64(runtime.NumCPU()) * 1024, of.memory, nil
}

// BootID tells this run of this machine's kernel from all others.
// Source: random(4).
func BootID() (string, error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("id of this boot: %w", err)
	}
	return strings.TrimSpace(string(id)), nil
}

// elsewhere is an address that no machine has: the kernel is asked for the way there,
// and nothing is sent.
// Source: RFC 5737.
var elsewhere = netip.MustParseAddr("192.0.2.1")

// MachineAddress is the address that the machine has on its way to others; the zero
// Addr when it has no way.
func MachineAddress() netip.Addr {
	routes, err := netlink.RouteGet(elsewhere.AsSlice())
	if err != nil || len(routes) == 0 {
		return netip.Addr{}
	}
	addr, _ := netip.AddrFromSlice(routes[0].Src)
	return addr.Unmap()
}
