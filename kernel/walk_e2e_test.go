//go:build e2e

package kernel

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/nftables"
	"pgregory.net/rapid"

	"fargo/host"
)

// The kernel takes every way from one network to another, and what it has then
// is what we think it has.
func TestRandomWalk(t *testing.T) {
	n := newTestNetwork(t, "a030")
	rapid.Check(t, func(t *rapid.T) {
		network := randomNetwork(t)
		if rapid.IntRange(0, 9).Draw(t, "restart") == 0 {
			n.mu.applied = nil
		}
		if err := n.Set(t.Context(), network); err != nil {
			t.Fatal(err)
		}
		for in, want := range n.mu.applied.rulesets() {
			if want != nil {
				checkRuleset(t, n, in, want)
			}
		}
		seen, err := n.machine.observe(n.mu.applied)
		if err != nil {
			t.Fatal(err)
		}
		if s := prune(n.cfg, seen, n.mu.applied); len(s.steps) != 0 {
			// Links of interfaces that are gone go a moment later.
			for _, st := range s.steps {
				if _, link := st.op.(linkDel); !link {
					t.Errorf("left over: %s", st.op)
				}
			}
		}
	})
	apply(t, n, host.Network{})
}

// checkRuleset counts: the kernel has no more and no less than it was told.
func checkRuleset(t *rapid.T, n *Network, in string, want *ruleset) {
	ns, err := n.machine.namespace(in)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := ns.nft()
	if err != nil {
		t.Fatal(err)
	}
	table := &nftables.Table{Family: nftables.TableFamilyINet, Name: want.table}
	got, err := observeRuleset(conn, want.table)
	if err != nil || got == nil {
		t.Fatalf("no table in %q: %v", in, err)
	}
	figures := func(rs *ruleset, rules func(string) int, elements func(string) int) map[string]int {
		out := map[string]int{}
		for name := range rs.chains {
			out["chain "+name] = rules(name)
		}
		for name, s := range rs.sets {
			if s.dynamic {
				continue
			}
			out["set "+name] = elements(name)
		}
		return out
	}
	has := figures(got, func(chain string) int {
		rules, err := conn.GetRules(table, &nftables.Chain{Table: table, Name: chain})
		if err != nil {
			t.Fatal(err)
		}
		return len(rules)
	}, func(set string) int {
		elements, err := conn.GetSetElements(&nftables.Set{Table: table, Name: set})
		if err != nil {
			t.Fatal(err)
		}
		return len(elements)
	})
	wants := figures(want, func(chain string) int { return len(want.chains[chain].rules) }, func(set string) int { return len(want.sets[set].elements) })
	if d := cmp.Diff(wants, has); d != "" {
		t.Errorf("in %q: %s", in, d)
	}
}
