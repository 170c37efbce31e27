package kernel

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A Lack is something that this machine does not have and we need.
type Lack struct {
	What string // "the veth driver: interfaces cannot be joined to their VPC"
	Why  string // what the kernel said when it was tried
	Mend string // the command that mends it, or what to do where no command does
}

// Check tries, without leaving anything behind, whether this machine can do
// what [NewNetwork] and [NewCgroups] will ask of it. What it tries happens in a
// network namespace made for it, or only reads.
func Check() []Lack {
	lacks := onScratchThread()
	lacks = append(lacks, checkForwarding()...)
	return append(lacks, checkCgroups()...)
}

// onScratchThread tries the parts of a network in a namespace that ends with
// its thread.
func onScratchThread() (lacks []Lack) {
	err := onNewThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		scratch, err := openNamespace("/proc/thread-self/ns/net")
		if err != nil {
			return err
		}
		defer scratch.close()
		lacks = append(checkLinks(scratch), checkRules(scratch)...)
		return nil
	})
	switch {
	case err == nil:
		return lacks
	case errors.Is(err, unix.EPERM):
		return []Lack{{"the right to make network namespaces", err.Error(), "run as root: sudo fargo …"}}
	}
	return []Lack{{"network namespaces", err.Error(), "boot a kernel that has them (CONFIG_NET_NS)"}}
}

func checkLinks(scratch *namespace) []Lack {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "here"
	if err := scratch.links.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "there"}); err != nil {
		return []Lack{{"the veth driver: interfaces cannot be joined to their VPC", err.Error(), "modprobe veth"}}
	}
	return nil
}

// checkRules tries each kind of rule that a router or the machine gets.
func checkRules(scratch *namespace) []Lack {
	verdicts := set{verdicts: true, elements: map[element]string{{addr: gatewayAddress}: "to"}}
	guarded := set{links: true, elements: map[element]string{{"here", gatewayAddress}: ""}}
	tests := []struct {
		what, mend string
		rules      ruleset
	}{
		{"nftables sets and maps: security groups cannot be enforced", "modprobe nf_tables", ruleset{
			chains: map[string]chain{"at": {hook: &hookIngress, rules: []rule{
				{source.verdictIn("verdicts")}, {linkAndSourceInSet("guarded"), accept}, {ports(unix.IPPROTO_TCP, 1, 2), drop},
			}}, "to": {}},
			sets: map[string]set{"verdicts": verdicts, "guarded": guarded},
		}},
		{"nftables connection tracking: answers cannot be told from questions", "modprobe nft_ct && modprobe nf_conntrack", ruleset{
			chains: map[string]chain{"at": {hook: &hookIngress, rules: []rule{{ctKnown, accept}}}},
		}},
		{"nftables rejecting: nobody can be told that an address is not in use", "modprobe nft_reject_inet", ruleset{
			chains: map[string]chain{"at": {hook: &hookArrival, rules: []rule{{destination.is(gatewayAddress), reject}}}},
		}},
		{"nftables masquerading: tasks cannot reach the Internet", "modprobe nft_masq && modprobe nft_chain_nat", ruleset{
			chains: map[string]chain{"at": {hook: &hookPostrouting, rules: []rule{{masquerade}}}},
		}},
	}
	var lacks []Lack
	for i, test := range tests {
		test.rules.table = fmt.Sprintf("check%d", i)
		conn, err := openNFT(int(scratch.file.Fd()))
		if err == nil {
			err = commit(conn, diffRulesets(nil, test.rules))
			_ = conn.CloseLasting()
		}
		if err != nil {
			lacks = append(lacks, Lack{test.what, err.Error(), test.mend})
		}
	}
	return lacks
}

// checkForwarding looks for what will keep the machine from forwarding for
// tasks: a switch we cannot turn, or somebody's filter that drops by default.
func checkForwarding() []Lack {
	var lacks []Lack
	const path = "/proc/sys/net/ipv4/ip_forward"
	is, err := os.ReadFile(path)
	if err == nil && strings.TrimSpace(string(is)) != "1" {
		var f *os.File
		if f, err = os.OpenFile(path, os.O_WRONLY, 0); err == nil {
			f.Close()
		}
	}
	if err != nil {
		lacks = append(lacks, Lack{"IP forwarding: tasks cannot reach the Internet", err.Error(), "sysctl -w net.ipv4.ip_forward=1"})
	}
	conn, err := nftables.New()
	if err != nil {
		return lacks // and said so before
	}
	chains, err := conn.ListChains()
	if err != nil {
		return lacks
	}
	return append(lacks, foreignFilters(chains)...)
}

// foreignFilters finds chains of others that drop what they do not know on its
// way through the machine. Docker makes one, with a chain for exceptions.
func foreignFilters(chains []*nftables.Chain) []Lack {
	into := "FORWARD"
	for _, c := range chains {
		if c.Name == "DOCKER-USER" {
			into = c.Name
		}
	}
	var lacks []Lack
	for _, c := range chains {
		drops := c.Policy != nil && *c.Policy == nftables.ChainPolicyDrop
		forward := c.Hooknum != nil && *c.Hooknum == *nftables.ChainHookForward
		if !drops || !forward || c.Table.Family != nftables.TableFamilyIPv4 && c.Table.Family != nftables.TableFamilyINet {
			continue
		}
		lacks = append(lacks, Lack{
			What: "a way through the machine's packet filter: tasks cannot reach the Internet",
			Why:  fmt.Sprintf("chain %s of nftables table %s drops what it does not know", c.Name, c.Table.Name),
			Mend: fmt.Sprintf("iptables -I %[1]s -i fg+ -j ACCEPT && iptables -I %[1]s -o fg+ -j ACCEPT", into),
		})
	}
	return lacks
}

func checkCgroups() []Lack {
	hs, err := findHierarchies()
	if err != nil {
		return []Lack{{"control groups", err.Error(), "mount -t cgroup2 cgroup2 /sys/fs/cgroup"}}
	}
	if len(hs) == 0 {
		return []Lack{{"control groups: tasks cannot be limited", "none is mounted", "mount -t cgroup2 cgroup2 /sys/fs/cgroup"}}
	}
	var lacks []Lack
	for _, controller := range needed {
		if _, ok := with(hs, controller); !ok {
			lacks = append(lacks, Lack{
				What: "the " + controller + " controller of control groups: tasks cannot be limited",
				Why:  "no mounted hierarchy has it",
				Mend: "add cgroup_enable=" + controller + " to the kernel's command line and reboot",
			})
		}
	}
	return lacks
}
