package kernel

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
)

// A command is one line of an nftables transaction: the line as nft(8) takes
// it, and how it is put into the batch.
type command struct {
	text  string
	queue func(*nftables.Conn) error
}

// tableCommands writes the commands of one table.
type tableCommands struct{ table *nftables.Table }

func (t tableCommands) command(queue func(*nftables.Conn) error, verb, noun, rest string) command {
	return command{strings.TrimSuffix(fmt.Sprintf("%s %s inet %s %s", verb, noun, t.table.Name, rest), " "), queue}
}

func (t tableCommands) add() command {
	return t.command(func(c *nftables.Conn) error { c.AddTable(t.table); return nil }, "add", "table", "")
}

func (t tableCommands) delete() command {
	return t.command(func(c *nftables.Conn) error { c.DelTable(t.table); return nil }, "delete", "table", "")
}

func (t tableCommands) addChain(name string, h *hook) command {
	chain, text := t.chain(name), name
	if h != nil {
		text += " " + h.String()
		chain.Hooknum, chain.Priority, chain.Type, chain.Policy = h.number, &h.priority, h.kind, &h.policy
	}
	return t.command(func(c *nftables.Conn) error { c.AddChain(chain); return nil }, "add", "chain", text)
}

func (t tableCommands) flushChain(name string) command {
	return t.command(func(c *nftables.Conn) error { c.FlushChain(t.chain(name)); return nil }, "flush", "chain", name)
}

func (t tableCommands) deleteChain(name string) command {
	return t.command(func(c *nftables.Conn) error { c.DelChain(t.chain(name)); return nil }, "delete", "chain", name)
}

func (t tableCommands) chain(name string) *nftables.Chain {
	return &nftables.Chain{Table: t.table, Name: name}
}

func (t tableCommands) addRule(chain string, r rule) command {
	var exprs []expr.Any
	for _, part := range r {
		exprs = append(exprs, part.exprs...)
	}
	return t.command(func(c *nftables.Conn) error {
		c.AddRule(&nftables.Rule{Table: t.table, Chain: t.chain(chain), Exprs: exprs})
		return nil
	}, "add", "rule", chain+" "+r.String())
}

func (t tableCommands) addSet(name string, s set) command {
	noun, text, _ := strings.Cut(s.String(), " ")
	return t.command(func(c *nftables.Conn) error { return c.AddSet(t.set(name, s), nil) }, "add", noun, name+" "+text)
}

func (t tableCommands) deleteSet(name string) command {
	return t.command(func(c *nftables.Conn) error { c.DelSet(t.set(name, set{})); return nil }, "delete", "set", name)
}

func (t tableCommands) flushSet(name string) command {
	return t.command(func(c *nftables.Conn) error { c.FlushSet(t.set(name, set{})); return nil }, "flush", "set", name)
}

func (t tableCommands) set(name string, s set) *nftables.Set {
	// Sets are always meant by name; an id other than 0 keeps the library from
	// counting in a global variable, which concurrent transactions would race for.
	out := &nftables.Set{Table: t.table, Name: name, ID: 1, KeyType: s.key, DataType: s.value, Dynamic: s.dynamic}
	out.IsMap = s.value.Name != ""
	out.Concatenation = strings.Contains(s.key.Name, " . ")
	if s.dynamic {
		out.Size = 65535 // what nft(8) gives such a set
	}
	return out
}

// elementsPerMessage keeps a message under the 64 KiB that the length of a
// netlink attribute can say.
const elementsPerMessage = 400

func (t tableCommands) elements(verb, name string, s set, elements []element) []command {
	var out []command
	for len(elements) > 0 {
		n := min(len(elements), elementsPerMessage)
		out = append(out, t.someElements(verb, name, s, elements[:n]))
		elements = elements[n:]
	}
	return out
}

func (t tableCommands) someElements(verb, name string, s set, elements []element) command {
	words := make([]string, len(elements))
	values := make([]nftables.SetElement, len(elements))
	for i, e := range elements {
		words[i] = e.String() + s.elements[e].String()
		values[i].Key = e.bytes()
		switch to := s.elements[e]; {
		case to.chain != "":
			values[i].VerdictData = &expr.Verdict{Kind: expr.VerdictJump, Chain: to.chain}
		case to.addr.IsValid():
			values[i].Val = to.addr.AsSlice()
		}
	}
	target := t.set(name, s)
	target.ID = 0 // by name
	return t.command(func(c *nftables.Conn) error {
		if verb == "delete" {
			return c.SetDeleteElements(target, values)
		}
		return c.SetAddElements(target, values)
	}, verb, "element", name+" { "+strings.Join(words, ", ")+" }")
}

// bytes is the element as the kernel has it.
func (e element) bytes() []byte {
	switch {
	case !e.addr.IsValid():
		return append(native(uint32(e.ct)), native(uint32(e.of))...)
	case e.link != "":
		return append(linkBytes(e.link), e.addr.AsSlice()...)
	}
	return e.addr.AsSlice()
}

// commit sends the commands as one transaction.
func commit(c *nftables.Conn, commands []command) error {
	for _, cmd := range commands {
		if err := cmd.queue(c); err != nil {
			return fmt.Errorf("%s: %w", cmd.text, err)
		}
	}
	return c.Flush()
}

// observeRuleset finds the chains and sets of a table, as the base of a diff; nil if
// there is no table. Their contents are unknown.
func observeRuleset(c *nftables.Conn, table string) (*ruleset, error) {
	tables, err := c.ListTablesOfFamily(nftables.TableFamilyINet)
	if err != nil {
		return nil, fmt.Errorf("list nftables tables: %w", err)
	}
	if !slices.ContainsFunc(tables, func(t *nftables.Table) bool { return t.Name == table }) {
		return nil, nil
	}
	chains, err := c.ListChainsOfTableFamily(nftables.TableFamilyINet)
	if err != nil {
		return nil, fmt.Errorf("list nftables chains: %w", err)
	}
	rs := &ruleset{table: table, chains: map[string]chain{}, sets: map[string]set{}}
	for _, found := range chains {
		if found.Table.Name != table {
			continue
		}
		ch := chain{rules: unknown}
		if found.Hooknum != nil && found.Policy != nil {
			ch.hook = &hook{kind: found.Type, number: found.Hooknum, priority: *found.Priority, policy: *found.Policy}
		}
		rs.chains[found.Name] = ch
	}
	sets, err := c.GetSets(&nftables.Table{Family: nftables.TableFamilyINet, Name: table})
	if err != nil {
		return nil, fmt.Errorf("list nftables sets: %w", err)
	}
	for _, found := range sets {
		s := set{unknown: true, key: found.KeyType, dynamic: found.Dynamic}
		switch {
		case found.KeyType.Name == nftables.TypeVerdict.Name: // the library has confused them
			s.value = found.KeyType
		case found.IsMap:
			s.value = found.DataType
		}
		rs.sets[found.Name] = s
	}
	return rs, nil
}

// openNFT connects to the nftables of a namespace. The kernel answers every
// message of a transaction before we read the first answer, so the buffers must
// hold them all.
func openNFT(netns int) (*nftables.Conn, error) {
	const buffer = 8 << 20
	return nftables.New(nftables.WithNetNSFd(netns), nftables.AsLasting(), nftables.WithSockOptions(
		func(c *netlink.Conn) error { return c.SetReadBuffer(buffer) },
		func(c *netlink.Conn) error { return c.SetWriteBuffer(buffer) },
	))
}
