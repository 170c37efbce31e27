package dns

import (
	"net/netip"
	"slices"
	"strings"

	"fargo/desired"
)

// A view is all that is known at one moment. It does not change.
type view struct {
	all     []desired.Record
	vpcs    map[string]*desired.VPC
	records map[place]*desired.Record
	above   map[string]bool // names that have records below them
}

type place struct{ vpc, name string }

func newView(vpcs []desired.VPC, records []desired.Record) *view {
	v := &view{all: records, vpcs: map[string]*desired.VPC{}, records: map[place]*desired.Record{}, above: map[string]bool{}}
	for i := range vpcs {
		v.vpcs[vpcs[i].ID] = &vpcs[i]
	}
	for i := range records {
		name := canonical(records[i].Name)
		v.records[place{records[i].VPC, name}] = &records[i]
		for _, rest, more := strings.Cut(name, "."); more; _, rest, more = strings.Cut(rest, ".") {
			v.above[rest] = true
		}
	}
	return v
}

// record finds a name as a VPC knows it: its own before everybody's.
func (v *view) record(vpc, name string) (*desired.Record, bool) {
	if r, ok := v.records[place{vpc, name}]; ok {
		return r, true
	}
	r, ok := v.records[place{"", name}]
	return r, ok
}

// resolverAddress is the resolver's in every VPC.
var resolverAddress = netip.MustParseAddr("169.254.169.253")

const port = 53

// An endpoint is where a socket should be.
type endpoint struct {
	vpc  string
	addr netip.AddrPort
	tcp  bool
}

// endpoints are all that should be there: none in a VPC without DNS.
func (v *view) endpoints() []endpoint {
	var out []endpoint
	for id, vpc := range v.vpcs {
		if !vpc.DNS {
			continue
		}
		addresses := []netip.Addr{resolverAddress}
		for _, c := range vpc.CIDRs {
			addresses = append(addresses, c.Masked().Addr().Next().Next())
		}
		for _, a := range addresses {
			at := netip.AddrPortFrom(a, port)
			out = append(out, endpoint{id, at, false}, endpoint{id, at, true})
		}
	}
	slices.SortFunc(out, compareEndpoints)
	return out
}

func compareEndpoints(a, b endpoint) int {
	if c := strings.Compare(a.vpc, b.vpc); c != 0 {
		return c
	}
	if c := a.addr.Compare(b.addr); c != 0 || a.tcp == b.tcp {
		return c
	}
	if b.tcp {
		return -1
	}
	return 1
}
