package dns

import (
	"net/netip"
	"slices"
	"strings"
	"sync"

	"fargo/desired"
)

// A view is what was set last. It is immutable.
type view struct {
	all     []desired.Record
	vpcs    map[string]*desired.VPC
	records map[recordKey]*desired.Record
	parents map[string]bool // names that have records below them
	// public gives the records of public names, by their public addresses. They are not
	// in records: there may be one for each task, and few are ever asked for, so that the
	// map is made when the first is.
	public func() map[netip.Addr]*desired.Record
	// platform are the names of Fargo's own APIs.
	platform map[string]bool
}

type recordKey struct{ vpc, name string }

func newView(vpcs []desired.VPC, records []desired.Record, platform []string) *view {
	v := &view{
		all: records, vpcs: map[string]*desired.VPC{}, records: map[recordKey]*desired.Record{},
		parents: map[string]bool{}, platform: map[string]bool{},
		public: sync.OnceValue(func() map[netip.Addr]*desired.Record { return byPublic(records) }),
	}
	for _, name := range platform {
		v.platform[canonical(name)] = true
	}
	for i := range vpcs {
		v.vpcs[vpcs[i].ID] = &vpcs[i]
	}
	for i := range records {
		if records[i].Public.IsValid() {
			continue
		}
		name := canonical(records[i].Name)
		v.records[recordKey{records[i].VPC, name}] = &records[i]
		for _, rest, more := strings.Cut(name, "."); more; _, rest, more = strings.Cut(rest, ".") {
			v.parents[rest] = true
		}
	}
	return v
}

func byPublic(records []desired.Record) map[netip.Addr]*desired.Record {
	out := map[netip.Addr]*desired.Record{}
	for i := range records {
		if a := records[i].Public; a.IsValid() {
			out[a] = &records[i]
		}
	}
	return out
}

// record finds a name in a VPC: its own records go before those for all, and a name
// before a wildcard.
func (v *view) record(vpc, name string) (*desired.Record, bool) {
	for _, key := range []recordKey{{vpc, name}, {vpc, wildcard(name)}, {"", name}, {"", wildcard(name)}} {
		if r, ok := v.records[key]; ok {
			return r, true
		}
	}
	return nil, false
}

// resolverAddress is that of the resolver in every VPC.
var resolverAddress = netip.MustParseAddr("169.254.169.253")

const port = 53

// An endpoint is where a socket should be.
type endpoint struct {
	vpc  string
	addr netip.AddrPort
	tcp  bool
}

func (e endpoint) String() string { return e.addr.String() + " in " + e.vpc }

// endpoints are all where sockets should be: none in a VPC without DNS.
func (v *view) endpoints() []endpoint {
	var out []endpoint
	for id, vpc := range v.vpcs {
		if !vpc.DNS {
			continue
		}
		addresses := []netip.Addr{resolverAddress}
		for _, c := range vpc.CIDRs {
			if c.Addr().Is4() {
				addresses = append(addresses, c.Masked().Addr().Next().Next())
			}
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
