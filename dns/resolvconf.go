package dns

import (
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
)

// ResolvConf reads the machine's resolvers from a file of resolv.conf(5).
type ResolvConf struct {
	Path string // "/etc/resolv.conf"
	// Fallback is the file to read instead when Path has nothing but the stub of
	// systemd-resolved: "/run/systemd/resolve/resolv.conf". Empty: none.
	Fallback string

	mu struct {
		sync.Mutex
		seen    [2]fs.FileInfo // of Path and Fallback when servers was read
		servers []netip.AddrPort
	}
}

// Servers are the resolvers in their order. The files are read again only when
// they have changed; a file that is not there, or that is not readable, has
// none.
func (r *ResolvConf) Servers() []netip.AddrPort {
	r.mu.Lock()
	defer r.mu.Unlock()
	var now [2]fs.FileInfo
	for i, path := range []string{r.Path, r.Fallback} {
		now[i], _ = os.Stat(path)
	}
	if r.mu.seen[0] == nil || !sameFile(now[0], r.mu.seen[0]) || !sameFile(now[1], r.mu.seen[1]) {
		r.mu.seen, r.mu.servers = now, r.read()
	}
	return r.mu.servers
}

func sameFile(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// stub is where systemd-resolved listens on the machine. Source:
// systemd-resolved.service(8).
var stub = netip.MustParseAddr("127.0.0.53")

func (r *ResolvConf) read() []netip.AddrPort {
	text, err := os.ReadFile(r.Path)
	if err != nil {
		return nil
	}
	servers := nameservers(string(text))
	if slices.ContainsFunc(servers, func(s netip.AddrPort) bool { return s.Addr() != stub }) {
		return servers
	}
	if text, err = os.ReadFile(r.Fallback); err == nil {
		return nameservers(string(text))
	}
	return servers
}

// nameservers are the servers in the text of a resolv.conf.
func nameservers(text string) []netip.AddrPort {
	var out []netip.AddrPort
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		if a, err := netip.ParseAddr(fields[1]); err == nil {
			out = append(out, netip.AddrPortFrom(a, port))
		}
	}
	return out
}
