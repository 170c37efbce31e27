package kernel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"fargo/desired"
	"fargo/host"
)

// Network builds VPCs and interfaces on this machine. Its methods may be called
// from several goroutines.
type Network struct {
	cfg     Config
	machine *machine

	mu struct {
		sync.Mutex
		// applied is what the kernel has; nil when that is not known: at first,
		// and after anything went wrong.
		applied *layout
	}
}

// NewNetwork opens the machine's networking. It only makes the directory of
// namespaces. What an earlier process of the same instance left is found by the
// first Set. It needs root (CAP_NET_ADMIN and
// CAP_SYS_ADMIN).
func NewNetwork(cfg Config) (*Network, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := makeNetNSDir(cfg.NetNSDir); err != nil {
		return nil, fmt.Errorf("kernel: %w", err)
	}
	m, err := newMachine(cfg)
	if err != nil {
		return nil, fmt.Errorf("kernel: %w", err)
	}
	return &Network{cfg: cfg, machine: m}, nil
}

// Set makes the machine have exactly this network. When it returns nil, every
// interface works, under its security groups, and what is not in network is
// gone. The packet filter of a VPC changes in one transaction: no packet is
// judged by a part of the rules. Connections that are known to the connection tracker
// outlive a rule that allowed them, as AWS documents for tracked connections.
//
// When something cannot be made, the rest is: the error is then [host.Failures], by
// the ids of VPCs and interfaces, and what is not among them works. An interface
// fails when it is invalid or in conflict with one before it (no such VPC, another's
// address, an unknown group). All interfaces of a VPC fail with it, but for one
// reason: when a rule is invalid, the interfaces work and the rule allows nothing.
// After any other error the machine is in a state between the two.
//
// Set is idempotent, and may be called again after an error: it observes the state
// of the machine first. An interface is its IPv4 address, MAC, subnet and VPC: when any of
// them changes the old one is removed, with its namespace, and a new one made. An IPv6
// address comes and goes.
func (n *Network) Set(ctx context.Context, network host.Network) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	defer n.machine.fillSpares()
	if err := n.set(ctx, network); err != nil {
		return fmt.Errorf("set network: %w", err)
	}
	return nil
}

// set is Set with n.mu held.
func (n *Network) set(ctx context.Context, network host.Network) error {
	prev := n.mu.applied
	if prev == nil {
		n.machine.closeNamespaces()
	}
	links, err := n.uplinks(prev, network.VPCs)
	if err != nil {
		return err
	}
	next, refused := newLayout(n.cfg, prev, network, links)
	var p plan
	if prev != nil {
		p = makePlan(n.cfg, prev, next, nil)
	} else if p, err = n.recover(ctx, next); err != nil {
		return err
	}
	n.mu.applied = nil // until it is known to be next
	failed, err := n.machine.run(ctx, p)
	if err != nil {
		return err
	}
	if len(failed) == 0 {
		n.mu.applied = next
	}
	for _, p := range next.interfaces {
		if err := failed[p.vpc]; err != nil && failed[p.id] == nil {
			failed[p.id] = fmt.Errorf("vpc %s: %w", p.vpc, err)
		}
	}
	maps.Copy(failed, refused)
	if len(failed) > 0 {
		return failed
	}
	return nil
}

// recover makes the plan from the observed state of the machine.
func (n *Network) recover(ctx context.Context, next *layout) (plan, error) {
	seen, err := n.machine.observe(next)
	if err != nil {
		return nil, err
	}
	p := makePlan(n.cfg, nil, next, seen.rulesets())
	if s := prune(n.cfg, seen, next); len(s.steps) > 0 {
		n.cfg.Logger.InfoContext(ctx, "removing what is not wanted of the network", "steps", plan{{s}}.String())
		p = append(plan{{s}}, p...)
	}
	return p, nil
}

// uplinks gives every VPC its pair of addresses. It observes the machine only when
// there is a VPC that prev has not.
func (n *Network) uplinks(prev *layout, vpcs []desired.VPC) (map[string]uplink, error) {
	have, taken := map[string]uplink{}, map[netip.Addr]bool{}
	var unknown []string
	for _, v := range vpcs {
		if checkVPC(v) != nil {
			continue // refused
		}
		if prev != nil {
			if r, ok := prev.routers[v.ID]; ok {
				have[v.ID] = r.link
				continue
			}
		}
		unknown = append(unknown, v.ID)
	}
	if len(unknown) > 0 {
		adopted, others, err := n.machine.adoptUplinks(unknown)
		if err != nil {
			return nil, fmt.Errorf("find uplinks: %w", err)
		}
		for id, l := range adopted {
			have[id] = l
		}
		taken = others
	}
	return chooseUplinks(n.cfg.Instance, vpcs, have, taken), nil
}

// NetNS is the path of an interface's namespace: there from the return of the
// Set that first has the interface to the call of the one that has not.
func (n *Network) NetNS(interfaceID string) string { return n.machine.path(interfaceID) }

// ListenTCP listens inside the router of a VPC, for its interfaces to connect.
// The packet filter admits them to port 80 of 169.254.170.2, to port 53 of the resolver
// addresses, and to ports 80 and 443 of the address of [desired.Platform]. The listener outlives Set and dies with the VPC; the
// caller closes it.
func (n *Network) ListenTCP(vpc string, addr netip.AddrPort) (net.Listener, error) {
	var l net.Listener
	err := n.inside(vpc, func() (err error) {
		l, err = net.ListenTCP("tcp", net.TCPAddrFromAddrPort(addr))
		return err
	})
	return l, err
}

// ListenUDP is like ListenTCP for datagrams.
func (n *Network) ListenUDP(vpc string, addr netip.AddrPort) (*net.UDPConn, error) {
	var c *net.UDPConn
	err := n.inside(vpc, func() (err error) {
		c, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
		return err
	})
	return c, err
}

// ListenInterfaceTCP listens inside an interface, as a program in its namespace
// would: clients that its security groups admit can connect. Several processes may
// listen at the same port, and connections are spread over them; when one of them
// closes its listener, the others get the connections in its backlog. The caller closes the listener.
func (n *Network) ListenInterfaceTCP(interfaceID string, port uint16) (net.Listener, error) {
	var l net.Listener
	err := n.inside(interfaceID, func() (err error) {
		l, err = shared.Listen(context.Background(), "tcp", everywhereAt(port))
		return err
	})
	return l, err
}

// ListenInterfaceUDP is like ListenInterfaceTCP for datagrams, of which those of
// one client go to the same process for as long as the processes are the same.
func (n *Network) ListenInterfaceUDP(interfaceID string, port uint16) (net.PacketConn, error) {
	var c net.PacketConn
	err := n.inside(interfaceID, func() (err error) {
		c, err = shared.ListenPacket(context.Background(), "udp", everywhereAt(port))
		return err
	})
	return c, err
}

// shared listens where others do. Source: socket(7), SO_REUSEPORT.
var shared = net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = os.NewSyscallError("setsockopt", unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1))
	})
	return errors.Join(err, failed)
}}

// everywhereAt is a port at every address of a namespace, of both families where the
// kernel has both.
func everywhereAt(port uint16) string { return fmt.Sprintf(":%d", port) }

// inside runs f in the namespace of a VPC or an interface.
func (n *Network) inside(name string, f func() error) error {
	ns, err := os.Open(n.machine.path(name))
	if err != nil {
		return fmt.Errorf("network namespace of %s: %w", name, err)
	}
	defer ns.Close()
	return inside(ns, f)
}

// Close closes what is open and leaves everything on the machine as it is.
func (n *Network) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mu.applied = nil
	n.machine.close()
	return nil
}

// Purge removes everything of this instance from the machine, and closes n.
// Only net.ipv4.ip_forward stays as it is.
func (n *Network) Purge(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mu.applied = nil
	if err := n.set(ctx, host.Network{}); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("purge network: %w", err)
	}
	n.machine.close()
	if err := removeNetNSDir(n.cfg.NetNSDir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("purge network: %w", err)
	}
	return nil
}
