package kernel

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/google/nftables"
)

// A ruleset is one nftables table of family inet, as plain data.
type ruleset struct {
	table  string
	chains map[string]chain
	sets   map[string]set
}

type chain struct {
	hook  *hook // nil: reached only by jumps
	rules []rule
}

// A rule is its terms in order.
type rule []term

func (r rule) String() string {
	words := make([]string, len(r))
	for i, t := range r {
		words[i] = t.text
	}
	return strings.Join(words, " ")
}

// A hook is where the kernel enters a base chain, and what compatible of packets
// that reach its end.
type hook struct {
	kind     nftables.ChainType
	name     string
	number   *nftables.ChainHook
	priority nftables.ChainPriority
	policy   nftables.ChainPolicy
}

func (h hook) String() string {
	policy := "drop"
	if h.policy == nftables.ChainPolicyAccept {
		policy = "accept"
	}
	return fmt.Sprintf("{ type %s hook %s priority %d; policy %s; }", h.kind, h.name, h.priority, policy)
}

// same compares what the kernel does not let change in a chain that is there.
func (h *hook) same(other *hook) bool {
	if h == nil || other == nil {
		return h == other
	}
	return h.kind == other.kind && *h.number == *other.number && h.priority == other.priority && h.policy == other.policy
}

// unknown stands for the rules of a chain that was observed: they are not parsed.
var unknown = []rule{{term{text: "unknown"}}}

// A set holds elements; when verdicts is true it is a map from them to chains.
type set struct {
	unknown  bool // observed, with elements that are not read
	links    bool // elements are a link and an address, not only an address
	verdicts bool
	elements map[element]string // to the chain to jump to, if verdicts
}

type element struct {
	link string
	addr netip.Addr
}

func (e element) String() string {
	if e.link == "" {
		return e.addr.String()
	}
	return fmt.Sprintf("%q . %s", e.link, e.addr)
}

func (s set) String() string {
	word, key, value := "set", "ipv4_addr", ""
	if s.links {
		key = "ifname . ipv4_addr"
	}
	if s.verdicts {
		word, value = "map", " : verdict"
	}
	return fmt.Sprintf("%s { type %s%s; }", word, key, value)
}

// addresses makes a plain set.
func addresses(addrs ...netip.Addr) set {
	s := set{elements: map[element]string{}}
	for _, a := range addrs {
		s.elements[element{addr: a}] = ""
	}
	return s
}

// diffRulesets are the commands that change prev into next, in an order that is
// valid at every step, for one transaction. With prev nil, or too different, the
// table is deleted first: then the old base chains drop packets until they are gone,
// some microseconds later.
func diffRulesets(prev *ruleset, next ruleset) []command {
	t := tableCommands{&nftables.Table{Family: nftables.TableFamilyINet, Name: next.table}}
	var out []command
	if prev == nil || !compatible(prev, next) {
		out = append(out, t.add(), t.delete(), t.add())
		prev = &ruleset{}
	}
	for _, name := range sorted(next.chains) {
		if _, had := prev.chains[name]; !had {
			out = append(out, t.addChain(name, next.chains[name].hook))
		}
	}
	for _, name := range sorted(next.sets) {
		if _, had := prev.sets[name]; !had {
			out = append(out, t.addSet(name, next.sets[name]))
		}
	}
	out = append(out, t.diffElements(prev.sets, next.sets)...)
	for _, name := range sorted(prev.chains) {
		if old, kept := prev.chains[name].rules, next.chains[name].rules; len(old) > 0 && !sameRules(old, kept) {
			out = append(out, t.flushChain(name))
		}
	}
	for _, name := range sorted(next.chains) {
		if rules := next.chains[name].rules; !sameRules(prev.chains[name].rules, rules) {
			for _, r := range rules {
				out = append(out, t.addRule(name, r))
			}
		}
	}
	for _, name := range sorted(prev.sets) {
		if _, kept := next.sets[name]; !kept {
			out = append(out, t.deleteSet(name))
		}
	}
	for _, name := range sorted(prev.chains) {
		if _, kept := next.chains[name]; !kept {
			out = append(out, t.deleteChain(name))
		}
	}
	return out
}

// compatible reports whether prev can be changed into next: no chain or set that
// stays is of another kind.
func compatible(prev *ruleset, next ruleset) bool {
	for name, c := range prev.chains {
		if kept, ok := next.chains[name]; ok && !c.hook.same(kept.hook) {
			return false
		}
	}
	for name, s := range prev.sets {
		if kept, ok := next.sets[name]; ok && s.String() != kept.String() {
			return false
		}
	}
	return true
}

// diffElements deletes before it adds, as an element may change its verdict. A set
// that is deleted is emptied first, because its verdicts refer to chains.
func (t tableCommands) diffElements(prev, next map[string]set) []command {
	var gone, come []command
	for _, name := range sorted(prev) {
		if prev[name].unknown {
			gone = append(gone, t.flushSet(name))
		}
		if e := missing(prev[name].elements, next[name].elements); len(e) > 0 {
			gone = append(gone, t.elements("delete", name, prev[name], e)...)
		}
	}
	for _, name := range sorted(next) {
		if e := missing(next[name].elements, prev[name].elements); len(e) > 0 {
			come = append(come, t.elements("add", name, next[name], e)...)
		}
	}
	return append(gone, come...)
}

// missing lists the elements of have that are not the same in other.
func missing(have, other map[element]string) []element {
	var out []element
	for e, verdict := range have {
		if v, ok := other[e]; !ok || v != verdict {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b element) int {
		return cmp.Or(a.addr.Compare(b.addr), strings.Compare(a.link, b.link))
	})
	return out
}

func sameRules(a, b []rule) bool {
	return slices.EqualFunc(a, b, func(x, y rule) bool { return x.String() == y.String() })
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
