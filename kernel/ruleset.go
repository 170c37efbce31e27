package kernel

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
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

// is says that both are one: what was not made anew is not compared.
func (r *ruleset) is(other *ruleset) bool {
	return reflect.ValueOf(r.chains).Pointer() == reflect.ValueOf(other.chains).Pointer()
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

func (r rule) same(other rule) bool {
	return slices.EqualFunc(r, other, func(a, b term) bool { return a.text == b.text })
}

// A hook is where the kernel enters a base chain, and what becomes of packets
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

// A set holds elements. A map has a value for each of them.
type set struct {
	unknown bool                 // observed, with elements that are not read
	key     nftables.SetDatatype // of the elements
	value   nftables.SetDatatype // of a map; of a set the zero value
	dynamic bool                 // the kernel adds elements, and we do not know them
	// elements are those of a set, and those of a map with their values: the chain to
	// jump to or an address.
	elements map[element]value
}

type element struct {
	link   string
	addr   netip.Addr
	ct, of mark // of a connection and a packet, if addr is not valid
}

type value struct {
	chain string
	addr  netip.Addr
}

func (e element) String() string {
	switch {
	case !e.addr.IsValid():
		return fmt.Sprintf("%#x . %#x", uint32(e.ct), uint32(e.of))
	case e.link == "":
		return e.addr.String()
	}
	return fmt.Sprintf("%q . %s", e.link, e.addr)
}

func (v value) String() string {
	switch {
	case v.chain != "":
		return " : jump " + v.chain
	case v.addr.IsValid():
		return " : " + v.addr.String()
	}
	return ""
}

func (s set) String() string {
	word, value, flags := "set", "", ""
	if s.value.Name != "" {
		word, value = "map", " : "+s.value.Name
	}
	if s.dynamic {
		flags = " flags dynamic;"
	}
	return fmt.Sprintf("%s { type %s%s;%s }", word, s.key.Name, value, flags)
}

func newSet(key nftables.SetDatatype) set { return set{key: key, elements: map[element]value{}} }

func newMap(key, to nftables.SetDatatype) set {
	return set{key: key, value: to, elements: map[element]value{}}
}

// addresses makes a set of IPv4 addresses.
func addresses(addrs ...netip.Addr) set {
	s := newSet(ip4.address)
	for _, a := range addrs {
		s.add(a)
	}
	return s
}

func (s set) add(a netip.Addr) { s.elements[element{addr: a}] = value{} }

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
		if kept, ok := next.sets[name]; ok && !s.same(kept) {
			return false
		}
	}
	return true
}

// same compares what the kernel does not let change in a set that is there. The key of
// a verdict map that was observed is not known.
func (s set) same(other set) bool {
	keys := s.key.Name == other.key.Name || s.unknown && s.value.Name == nftables.TypeVerdict.Name
	return keys && s.value.Name == other.value.Name && s.dynamic == other.dynamic
}

// diffElements deletes before it adds, as an element may change its verdict. A set
// that is deleted is emptied first, because its verdicts refer to chains.
func (t tableCommands) diffElements(prev, next map[string]set) []command {
	var gone, come []command
	for _, name := range sorted(prev) {
		if prev[name].unknown && !prev[name].dynamic {
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
func missing(have, other map[element]value) []element {
	var out []element
	for e, to := range have {
		if v, ok := other[e]; !ok || v != to {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b element) int {
		return cmp.Or(a.addr.Compare(b.addr), strings.Compare(a.link, b.link), cmp.Compare(a.ct, b.ct), cmp.Compare(a.of, b.of))
	})
	return out
}

func sameRules(a, b []rule) bool {
	return slices.EqualFunc(a, b, rule.same)
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
