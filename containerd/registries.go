package containerd

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// Registries says which hosts images may be pulled from. What neither Allow nor
// Deny speaks of may be any but an address of this machine, or one that only this
// machine reaches: an image's name is a task definition's, and so anybody's, but
// it is the machine that goes there. What is said holds for the registry in the
// name, and for wherever it sends us: redirects, realms of tokens, URLs of layers.
//
// The narrowest pattern decides: of a name before one of addresses, with a port
// before one without, of fewer addresses before one of more. Of two that are equal
// Deny does.
type Registries struct {
	Allow, Deny []HostPattern
	// Own gives this machine's addresses at the moment. Nil means that it has
	// none but those of the loopback.
	Own func() ([]netip.Addr, error)
}

// A HostPattern is a host ("registry.example.com"), an address ("10.0.0.7") or
// several ("10.0.0.0/8"), and perhaps a port: "registry.example.com:5000",
// "[fd00::7]:5000". As text it is what a flag takes.
type HostPattern struct {
	name   string       // in lower case; empty when addresses are meant
	prefix netip.Prefix // invalid when a name is meant
	port   uint16       // 0 means any
}

// ParseHostPattern reads the text of a flag.
func ParseHostPattern(text string) (HostPattern, error) {
	var p HostPattern
	return p, p.UnmarshalText([]byte(text))
}

// hostPattern takes apart what is no block: a name, an address, an IPv6 address in
// brackets, and a port.
var hostPattern = regexp.MustCompile(`^(?:([A-Za-z0-9_][A-Za-z0-9_.-]*)|\[([0-9A-Fa-f:.]+)\])(?::([0-9]+))?$`)

// UnmarshalText reads what [HostPattern.String] writes, and what people write.
func (p *HostPattern) UnmarshalText(text []byte) error {
	if prefix, err := netip.ParsePrefix(string(text)); err == nil {
		*p = HostPattern{prefix: unmapped(prefix)}
		return nil
	}
	if addr, err := netip.ParseAddr(string(text)); err == nil {
		*p = HostPattern{prefix: single(addr)}
		return nil
	}
	bad := fmt.Errorf("%q is no host, host:port, address or CIDR block", text)
	parts := hostPattern.FindStringSubmatch(string(text))
	if parts == nil {
		return bad
	}
	read := HostPattern{name: hostName(parts[1])}
	if addr, err := netip.ParseAddr(parts[1] + parts[2]); err == nil {
		read = HostPattern{prefix: single(addr)}
	} else if parts[2] != "" {
		return bad
	}
	if parts[3] != "" {
		port, err := strconv.ParseUint(parts[3], 10, 16)
		if err != nil || port == 0 {
			return bad
		}
		read.port = uint16(port)
	}
	*p = read
	return nil
}

func single(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	return netip.PrefixFrom(addr, addr.BitLen())
}

// unmapped turns IPv4 addresses that are written as IPv6 ones into what they are.
func unmapped(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked()
}

// hostName is a name as it is compared.
func hostName(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// String is the text that UnmarshalText reads.
func (p HostPattern) String() string {
	host := p.name
	switch {
	case p.prefix.IsValid() && !p.prefix.IsSingleIP():
		return p.prefix.String()
	case p.prefix.IsValid():
		host = p.prefix.Addr().String()
	}
	if p.port == 0 {
		return host
	}
	return net.JoinHostPort(host, strconv.Itoa(int(p.port)))
}

// MarshalText is String, for what keeps flags.
func (p HostPattern) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// namesHost reports whether p is about hosts of that name, and port.
func (p HostPattern) namesHost(host string, port uint16) bool {
	return p.name != "" && p.name == host && (p.port == 0 || p.port == port)
}

func (p HostPattern) hasAddress(addr netip.Addr, port uint16) bool {
	return p.prefix.IsValid() && p.prefix.Contains(addr) && (p.port == 0 || p.port == port)
}

// narrower orders patterns that fit the same address: the narrower comes last.
func narrower(a, b HostPattern) int {
	hasPort := func(p HostPattern) int {
		if p.port != 0 {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(a.prefix.Bits(), b.prefix.Bits()), cmp.Compare(hasPort(a), hasPort(b)))
}

// decide finds the narrowest pattern that fits, and whether it allows.
func (r Registries) decide(fits func(HostPattern) bool) (by HostPattern, allowed, found bool) {
	for _, list := range []struct {
		patterns []HostPattern
		allow    bool
	}{{r.Allow, true}, {r.Deny, false}} {
		for _, p := range list.patterns {
			if fits(p) && (!found || narrower(p, by) >= 0) {
				by, allowed, found = p, list.allow, true
			}
		}
	}
	return by, allowed, found
}

// name decides about a host by its name alone: it is trusted wherever it may be,
// refused, or its addresses decide.
func (r Registries) name(host string, port uint16) (trusted bool, err error) {
	host = hostName(host)
	by, allowed, found := r.decide(func(p HostPattern) bool { return p.namesHost(host, port) })
	if found && !allowed {
		return false, &refusal{host: host, port: port, why: "it is denied by --deny-registry " + by.String()}
	}
	return found, nil
}

// address decides about an address that a host was found to have.
func (r Registries) address(host string, addr netip.Addr, port uint16) error {
	addr = embedded(addr.Unmap().WithZone(""))
	by, allowed, found := r.decide(func(p HostPattern) bool { return p.hasAddress(addr, port) })
	switch {
	case found && allowed:
		return nil
	case found:
		return &refusal{host: host, port: port, addr: addr, why: "it is denied by --deny-registry " + by.String()}
	}
	if kind := notARegistry(addr); kind != "" {
		return &refusal{host: host, port: port, addr: addr, why: "that is " + kind, mend: true}
	}
	if r.Own == nil {
		return nil
	}
	own, err := r.Own()
	if err != nil {
		return fmt.Errorf("this machine's addresses, which registries must not have: %w", err)
	}
	for _, a := range own {
		if a.Unmap().WithZone("") == addr {
			return &refusal{host: host, port: port, addr: addr, why: "that is an address of this machine", mend: true}
		}
	}
	return nil
}

// nat64 are the addresses that have an IPv4 address in their last 32 bits.
// Source: RFC 6052, section 2.1.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// embedded is the IPv4 address that packets to addr end at, if there is one.
func embedded(addr netip.Addr) netip.Addr {
	if !nat64.Contains(addr) {
		return addr
	}
	b := addr.As16()
	return netip.AddrFrom4([4]byte(b[12:]))
}

// notRegistries are addresses at which no registry of somebody else can be, but
// something that trusts whoever is on this machine.
var notRegistries = []struct {
	prefix netip.Prefix
	kind   string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "an address of the machine itself"}, // RFC 1122, 3.2.1.3
	{netip.MustParsePrefix("::/128"), "an address of the machine itself"},
	{netip.MustParsePrefix("127.0.0.0/8"), "a loopback address"},
	{netip.MustParsePrefix("::1/128"), "a loopback address"},
	{netip.MustParsePrefix("169.254.0.0/16"), "a link-local address"},
	{netip.MustParsePrefix("fe80::/10"), "a link-local address"},
	{netip.MustParsePrefix("224.0.0.0/4"), "a multicast address"},
	{netip.MustParsePrefix("ff00::/8"), "a multicast address"},
	{netip.MustParsePrefix("240.0.0.0/4"), "a reserved or broadcast address"}, // RFC 1112; RFC 919
	// Metadata services that clouds have elsewhere than at 169.254.169.254: AWS
	// by IPv6, Azure, Alibaba Cloud, Oracle Cloud. Sources: their user guides.
	{netip.MustParsePrefix("fd00:ec2::254/128"), "a cloud's metadata service"},
	{netip.MustParsePrefix("168.63.129.16/32"), "a cloud's metadata service"},
	{netip.MustParsePrefix("100.100.100.200/32"), "a cloud's metadata service"},
	{netip.MustParsePrefix("192.0.0.192/32"), "a cloud's metadata service"},
}

// notARegistry says what an address is, if no registry can be there.
func notARegistry(addr netip.Addr) (kind string) {
	for _, n := range notRegistries {
		if n.prefix.Contains(addr) {
			return n.kind
		}
	}
	return ""
}

// A refusal is why we do not go to a registry. Nobody need be asked again.
type refusal struct {
	host string
	port uint16
	addr netip.Addr // invalid when the name was enough
	why  string
	mend bool // a flag would
}

func (r *refusal) Error() string {
	at := net.JoinHostPort(r.host, strconv.Itoa(int(r.port)))
	text := "Fargo does not pull from " + at
	if r.addr.IsValid() && r.addr.String() != r.host {
		text += ", which is at " + r.addr.String()
	}
	text += ": " + r.why
	if r.mend {
		text += "; fargo up --allow-registry " + at + " would allow it"
	}
	return text
}

func isRefusal(err error) bool {
	var refused *refusal
	return errors.As(err, &refused)
}
