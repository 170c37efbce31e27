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

// A Problem is something that the machine lacks.
type Problem struct {
	What string // "the veth driver: interfaces cannot be joined to their VPC"
	Why  string // what the kernel said when it was tried
	Fix  string // the command that helps, or what to do where there is none
}

// Check tries whether this machine can do what [NewNetwork] and [NewCgroups] need.
// It works in a network namespace of its own, or only reads, and leaves nothing
// behind.
func Check() []Problem {
	problems := checkNetwork()
	problems = append(problems, checkForwarding()...)
	return append(problems, checkCgroups()...)
}

// checkNetwork tries links and rules in a namespace that ends with its thread.
func checkNetwork() (problems []Problem) {
	err := onNewThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		scratch, err := openNamespace("/proc/thread-self/ns/net")
		if err != nil {
			return err
		}
		defer scratch.close()
		problems = append(checkLinks(scratch), checkRules(scratch)...)
		return nil
	})
	switch {
	case err == nil:
		return problems
	case errors.Is(err, unix.EPERM):
		return []Problem{{"the right to make network namespaces", err.Error(), "run as root: sudo fargo …"}}
	}
	return []Problem{{"network namespaces", err.Error(), "boot a kernel that has them (CONFIG_NET_NS)"}}
}

func checkLinks(scratch *namespace) []Problem {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "here"
	if err := scratch.links.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "there"}); err != nil {
		return []Problem{{"the veth driver: interfaces cannot be joined to their VPC", err.Error(), "modprobe veth"}}
	}
	return nil
}

// checkRules tries each kind of rule that a router or the machine gets.
func checkRules(scratch *namespace) []Problem {
	verdicts, guarded := newMap(ip4.address, nftables.TypeVerdict), newMap(ip4.linked(), nftables.TypeVerdict)
	verdicts.elements[element{addr: gatewayAddress}] = value{chain: "to"}
	guarded.elements[element{link: "here", addr: gatewayAddress}] = value{chain: "to"}
	translated, marks := newMap(ip4.address, ip4.address), newSet(markPairs)
	translated.elements[element{addr: gatewayAddress}] = value{addr: resolverAddress}
	marks.elements[element{ct: markLocal, of: markLocal}] = value{}
	tests := []struct {
		what, fix string
		rules     ruleset
	}{
		{"nftables sets and maps: security groups cannot be enforced", "modprobe nf_tables", ruleset{
			chains: map[string]chain{"at": {hook: &hookForward, rules: []rule{
				{ip4.source().verdictIn("verdicts")}, {ip4.linkAnd("guarded", true, false)}, {ports(unix.IPPROTO_TCP, 1, 2), drop},
			}}, "to": {}},
			sets: map[string]set{"verdicts": verdicts, "guarded": guarded},
		}},
		{"nftables connection tracking: answers cannot be told from questions", "modprobe nft_ct && modprobe nf_conntrack", ruleset{
			chains: map[string]chain{"at": {hook: &hookTracked, rules: []rule{{ctKnown, accept}, {ctNew, markLocal.ofConnection()}, {marksIn("marks"), accept}}}},
			sets:   map[string]set{"marks": marks},
		}},
		{"nftables logging: no flow log could tell what was rejected", "modprobe nft_log && modprobe nfnetlink_log", ruleset{
			chains: map[string]chain{"at": {hook: &hookForward, rules: []rule{{logRejected(rejectedInbound), drop}}}},
		}},
		{"nftables rejecting: nobody can be told that an address is not in use", "modprobe nft_reject_inet", ruleset{
			chains: map[string]chain{"at": {hook: &hookPrerouting, rules: []rule{{ip4.destination().is(gatewayAddress), rejectHost}}}},
		}},
		{"nftables looking up of routes: public addresses cannot be had", "modprobe nft_fib_inet", ruleset{
			chains: map[string]chain{"at": {hook: &hookMachineArrival, rules: []rule{{notLocal, nowhere, drop}}}},
		}},
		{"nftables masquerading: tasks cannot reach the Internet", "modprobe nft_masq && modprobe nft_chain_nat", ruleset{
			chains: map[string]chain{"at": {hook: &hookSource, rules: []rule{{masquerade}}}},
		}},
		{"nftables translation of addresses: public addresses and NAT gateways cannot be had", "modprobe nft_nat && modprobe nft_hash", ruleset{
			chains: map[string]chain{
				"to":   {hook: &hookDestination, rules: []rule{{translateIn(ip4.destination(), "translated")}}},
				"from": {hook: &hookSource, rules: []rule{{translateIn(ip4.source(), "translated")}, {share(0, 2), sourceIs(gatewayAddress)}}},
			},
			sets: map[string]set{"translated": translated},
		}},
		{"nftables counting of connections: NAT gateways cannot be had", "modprobe nft_connlimit", ruleset{
			chains: map[string]chain{"at": {hook: &hookTranslated, rules: []rule{{tooMany(unix.IPPROTO_TCP, "connections", 1), counter, drop}}}},
			sets:   map[string]set{"connections": {key: destinations, dynamic: true}},
		}},
	}
	var problems []Problem
	for i, test := range tests {
		test.rules.table = fmt.Sprintf("check%d", i)
		conn, err := openNFT(int(scratch.file.Fd()))
		if err == nil {
			err = commit(conn, diffRulesets(nil, test.rules))
			_ = conn.CloseLasting()
		}
		if err != nil {
			problems = append(problems, Problem{test.what, err.Error(), test.fix})
		}
	}
	return problems
}

// checkForwarding finds what would keep the machine from forwarding for tasks: a
// sysctl that cannot be set, or another program's filter that drops by default.
func checkForwarding() []Problem {
	var problems []Problem
	const path = "/proc/sys/net/ipv4/ip_forward"
	is, err := os.ReadFile(path)
	if err == nil && strings.TrimSpace(string(is)) != "1" {
		var f *os.File
		if f, err = os.OpenFile(path, os.O_WRONLY, 0); err == nil {
			f.Close()
		}
	}
	if err != nil {
		problems = append(problems, Problem{"IP forwarding: tasks cannot reach the Internet", err.Error(), "sysctl -w net.ipv4.ip_forward=1"})
	}
	conn, err := nftables.New()
	if err != nil {
		return problems // and said so before
	}
	chains, err := conn.ListChains()
	if err != nil {
		return problems
	}
	return append(problems, foreignFilters(chains)...)
}

// foreignFilters finds chains of other programs that drop forwarded packets by
// default. Docker makes one, with a chain for exceptions.
func foreignFilters(chains []*nftables.Chain) []Problem {
	into := "FORWARD"
	for _, c := range chains {
		if c.Name == "DOCKER-USER" {
			into = c.Name
		}
	}
	var problems []Problem
	for _, c := range chains {
		drops := c.Policy != nil && *c.Policy == nftables.ChainPolicyDrop
		forward := c.Hooknum != nil && *c.Hooknum == *nftables.ChainHookForward
		if !drops || !forward || c.Table.Family != nftables.TableFamilyIPv4 && c.Table.Family != nftables.TableFamilyINet {
			continue
		}
		problems = append(problems, Problem{
			What: "a way through the machine's packet filter: tasks cannot reach the Internet",
			Why:  fmt.Sprintf("chain %s of nftables table %s drops what it does not know", c.Name, c.Table.Name),
			Fix:  fmt.Sprintf("iptables -I %[1]s -i fg+ -j ACCEPT && iptables -I %[1]s -o fg+ -j ACCEPT", into),
		})
	}
	return problems
}

func checkCgroups() []Problem {
	hs, err := findHierarchies()
	if err != nil {
		return []Problem{{"control groups", err.Error(), "mount -t cgroup2 cgroup2 /sys/fs/cgroup"}}
	}
	if len(hs) == 0 {
		return []Problem{{"control groups: tasks cannot be limited", "none is mounted", "mount -t cgroup2 cgroup2 /sys/fs/cgroup"}}
	}
	var problems []Problem
	for _, controller := range needed {
		if _, ok := with(hs, controller); !ok {
			problems = append(problems, Problem{
				What: "the " + controller + " controller of control groups: tasks cannot be limited",
				Why:  "no mounted hierarchy has it",
				Fix:  "add cgroup_enable=" + controller + " to the kernel's command line and reboot",
			})
		}
	}
	return problems
}
