package kernel

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fargo/desired"
	"fargo/host"
)

var rewrite = flag.Bool("rewrite", false, "write what came out into testdata")

// TestPlan runs testdata/*.txt: networks in, command lines out. A file is a
// list of cases, each a paragraph of input, a line "----", and the output. All
// cases of a file go to one machine, one after another.
func TestPlan(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no testdata", err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := runScenario(t, string(b))
			if *rewrite {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if d := cmp.Diff(string(b), got); d != "" {
				t.Error(d)
			}
		})
	}
}

func runScenario(t *testing.T, text string) string {
	var out bytes.Buffer
	cfg, err := Config{Instance: "1a2b"}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	var applied *layout
	for i, part := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			out.WriteString("\n")
		}
		input, _, _ := strings.Cut(part, "----")
		out.WriteString(input + "----\n")
		if !strings.Contains("\n"+input, "\nset") {
			continue
		}
		c := parseCase(t, input)
		if c.restart {
			if applied != nil && c.rules {
				c.found.rules = forgotten(*applied.rules)
				for id, r := range applied.routers {
					c.found.routers[id] = observedRouter{rules: forgotten(r.rules)}
				}
			}
			applied = nil
		}
		have := map[string]uplink{}
		if applied != nil {
			for id, r := range applied.routers {
				have[id] = r.link
			}
		}
		links := chooseUplinks(cfg.Instance, c.network.VPCs, have, nil)
		next, refused := newLayout(cfg, applied, c.network, links)
		for _, id := range sorted(refused) {
			fmt.Fprintf(&out, "refused: %s: %v\n", id, refused[id])
		}
		var p plan
		if applied == nil {
			p = plan{{prune(cfg, c.found, next)}}
		}
		out.WriteString(append(p, makePlan(cfg, applied, next, c.found.rulesets())...).String())
		applied = next
	}
	return out.String()
}

// forgotten is a ruleset as a new process finds it.
func forgotten(rs ruleset) *ruleset {
	rs.chains, rs.sets = maps.Clone(rs.chains), maps.Clone(rs.sets)
	for name, c := range rs.chains {
		rs.chains[name] = chain{hook: c.hook, rules: unknown}
	}
	for name, s := range rs.sets {
		rs.sets[name] = set{unknown: true, key: s.key, value: s.value, dynamic: s.dynamic}
	}
	return &rs
}

type testCase struct {
	restart bool
	rules   bool // found with its rules
	found   observation
	network host.Network
}

// parseCase reads lines of
//
//	set                                         (what follows)
//	restart                                     (with nothing in memory)
//	found netns|link NAME, found unreachable CIDR, found rules (of the case before)
//	vpc ID CIDR...
//	peer VPC                                    (of the vpc above)
//	acl ID [in|out allow|deny PROTOCOL PORTS CIDR]...
//	rtb ID [CIDR TARGET[:PEER] [via NAT]]...
//	s3 ADDRESS                                  (of the vpc above)
//	subnet ID RTB ACL CIDR... [platform-for-public|platform-for-none] [s3-for-public|s3-for-none]
//	nat ID SUBNET PRIVATE[=PUBLIC]...
//	group ID [in|out PROTOCOL PORTS PEER]...    (in the vpc above)
//	eni ID ADDRESS GROUP[,GROUP] [internet]     (in the vpc above)
//	eni ID ADDRESS GROUP[,GROUP] in VPC
//	eni ID ADDRESS GROUP[,GROUP] subnet SUBNET [public ADDRESS] [ipv6 ADDRESS]
//
// and comments, which begin with #.
func parseCase(t *testing.T, input string) testCase {
	c := testCase{found: observation{routers: map[string]observedRouter{}, interfaces: map[string][]netip.Prefix{}}}
	for line := range strings.Lines(input) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		vpc := len(c.network.VPCs) - 1
		switch f[0] {
		case "#", "set":
		case "restart":
			c.restart = true
		case "found":
			c.rules = c.rules || f[1] == "rules"
			c.found.add(f[1], f[2:]...)
		case "vpc":
			v := desired.VPC{ID: f[1]}
			for _, cidr := range f[2:] {
				v.CIDRs = append(v.CIDRs, netip.MustParsePrefix(cidr))
			}
			c.network.VPCs = append(c.network.VPCs, v)
		case "peer", "acl", "rtb", "subnet", "nat", "s3":
			parseRouting(t, &c.network.VPCs[vpc], f)
		case "group":
			c.network.VPCs[vpc].Groups = append(c.network.VPCs[vpc].Groups, parseGroup(f[1:]))
		case "eni":
			a := netip.MustParseAddr(f[2])
			b := a.As4()
			c.network.Interfaces = append(c.network.Interfaces, desired.Interface{
				ID: f[1], VPC: c.network.VPCs[vpc].ID, Address: a, Prefix: netip.PrefixFrom(a, 20).Masked(),
				MAC:    fmt.Sprintf("02:00:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3]),
				Groups: strings.Split(f[3], ","), Internet: slices.Contains(f[4:], "internet"),
			})
			parseOptions(&c.network.Interfaces[len(c.network.Interfaces)-1], f[4:])
			if len(f) == 6 && f[4] == "in" {
				c.network.Interfaces[len(c.network.Interfaces)-1].VPC = f[5]
			}
		default:
			t.Fatalf("what is %q?", line)
		}
	}
	c.network = members(c.network)
	return c
}

// add adds what was found: a namespace and the addresses in it, a link or a route.
func (o *observation) add(kind string, words ...string) {
	switch kind {
	case "netns":
		o.namespaces = append(o.namespaces, words[0])
		for _, a := range words[1:] {
			o.interfaces[words[0]] = append(o.interfaces[words[0]], netip.MustParsePrefix(a))
		}
	case "link":
		o.links = append(o.links, words[0])
	case "unreachable":
		o.routes = append(o.routes, unreachable(netip.MustParsePrefix(words[0]), Config{Instance: "1a2b"}.unreachableMetric()).route)
	}
}

func parseGroup(f []string) desired.SecurityGroup {
	g := desired.SecurityGroup{ID: f[0]}
	for f = f[1:]; len(f) >= 4; f = f[4:] {
		r := desired.Rule{Protocol: f[1]}
		from, to, _ := strings.Cut(f[2], "..")
		r.FromPort, _ = strconv.Atoi(from)
		r.ToPort, _ = strconv.Atoi(to)
		if cidr, err := netip.ParsePrefix(f[3]); err == nil {
			r.CIDR = cidr
		} else {
			r.Group = f[3]
		}
		if f[0] == "in" {
			g.Ingress = append(g.Ingress, r)
		} else {
			g.Egress = append(g.Egress, r)
		}
	}
	return g
}

// members fills in the groups' members as the control plane does.
func members(network host.Network) host.Network {
	for v := range network.VPCs {
		for g := range network.VPCs[v].Groups {
			group := &network.VPCs[v].Groups[g]
			for _, e := range network.Interfaces {
				if e.VPC == network.VPCs[v].ID && slices.Contains(e.Groups, group.ID) {
					group.Members = append(group.Members, e.Address)
				}
			}
		}
	}
	return network
}
