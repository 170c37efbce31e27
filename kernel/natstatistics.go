package kernel

import (
	"fmt"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// NATStatistics are numbers of one NAT gateway since its rules were last written:
// that is when this process began, or when the gateway came if that is later.
type NATStatistics struct {
	// PortAllocationErrors is how many packets of new connections were dropped because
	// the address that was to be theirs has too many connections to their destination.
	// CloudWatch has them as ErrorPortAllocation.
	PortAllocationErrors uint64
}

// NATStatistics are those of the NAT gateways of a VPC, by id. It fails when the VPC is
// not there.
func (n *Network) NATStatistics(vpc string) (map[string]NATStatistics, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := map[string]NATStatistics{}
	err := n.natCounters(vpc, out)
	if err != nil {
		return nil, fmt.Errorf("NAT statistics of %s: %w", vpc, err)
	}
	return out, nil
}

// natCounters is NATStatistics with n.mu held.
func (n *Network) natCounters(vpc string, out map[string]NATStatistics) error {
	in, err := n.machine.namespace(vpc)
	if err != nil {
		return err
	}
	conn, err := in.nft()
	if err != nil {
		return err
	}
	table := &nftables.Table{Family: nftables.TableFamilyINet, Name: routerTable}
	chains, err := conn.ListChainsOfTableFamily(table.Family)
	if err != nil {
		return err
	}
	for _, c := range chains {
		id, ok := strings.CutSuffix(c.Name, limitSuffix)
		if !ok {
			continue
		}
		rules, err := conn.GetRules(table, c)
		if err != nil {
			return err
		}
		out[id] = NATStatistics{PortAllocationErrors: counted(rules)}
	}
	return nil
}

// counted adds up what the counters of rules say, in packets.
func counted(rules []*nftables.Rule) uint64 {
	var sum uint64
	for _, r := range rules {
		for _, e := range r.Exprs {
			if c, ok := e.(*expr.Counter); ok {
				sum += c.Packets
			}
		}
	}
	return sum
}
