//go:build e2e

package kernel

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/nftables"
)

func TestCheck(t *testing.T) {
	clean := footprint(t)
	if problems := Check(); len(problems) != 0 {
		t.Errorf("this machine runs these tests, and problems %+v", problems)
	}
	if d := cmp.Diff(clean, footprint(t)); d != "" {
		t.Error(d)
	}

	// What Docker does.
	conn := new(nftables.Conn)
	filter := conn.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: "filter"})
	policy := nftables.ChainPolicyDrop
	conn.AddChain(&nftables.Chain{
		Table: filter, Name: "FORWARD", Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter, Policy: &policy,
	})
	conn.AddChain(&nftables.Chain{Table: filter, Name: "DOCKER-USER"})
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.DelTable(filter)
		if err := conn.Flush(); err != nil {
			t.Error(err)
		}
	})
	problems := Check()
	if len(problems) != 1 || !strings.Contains(problems[0].Fix, "DOCKER-USER") {
		t.Errorf("with a filter of Docker's: %+v", problems)
	}
}
