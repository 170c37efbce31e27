package kernel

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
)

// Config names the instance. Several instances on a machine do not interfere.
type Config struct {
	// Instance is four hexadecimal digits, lower case. Everything that it
	// has on the machine is named after it. Required.
	Instance string
	// NetNSDir is where namespaces are bound. By default
	// /run/fargo-<instance>/netns.
	NetNSDir string
	// Public is the instance's range of public IPv4 addresses: those of interfaces and
	// NAT gateways are from it, and packets to any other address of it go nowhere.
	// The zero Prefix: there is none.
	Public netip.Prefix
	// Public6 is the range that the IPv6 addresses of all VPCs are from, for which the same
	// holds.
	Public6 netip.Prefix
	// PublicRouted says that the network around the machine routes both to it. Then
	// packets leave the machine with public addresses as their source, and others may
	// connect to them. Without it the machine replaces them by an address of its own,
	// and nobody outside of the machine can connect.
	PublicRouted bool
	// natConnections is maxNATConnections but for tests.
	natConnections uint32
	// Logger logs what was found and repaired. Nil logs nothing.
	Logger *slog.Logger
}

func (c Config) withDefaults() (Config, error) {
	if b, err := hex.DecodeString(c.Instance); err != nil || len(b) != 2 || c.Instance != hex.EncodeToString(b) {
		return c, fmt.Errorf("kernel: instance %q is not four hexadecimal digits", c.Instance)
	}
	if c.Public.IsValid() && !c.Public.Addr().Is4() {
		return c, fmt.Errorf("kernel: the public range %s is not IPv4", c.Public)
	}
	if c.Public6.IsValid() && c.Public6.Addr().Is4() {
		return c, fmt.Errorf("kernel: the range %s is not IPv6", c.Public6)
	}
	if c.NetNSDir == "" {
		c.NetNSDir = "/run/fargo-" + c.Instance + "/netns"
	}
	if c.natConnections == 0 {
		c.natConnections = maxNATConnections
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// linkPrefix begins the name of every link of this instance, on the machine and
// in routers.
func (c Config) linkPrefix() string { return "fg" + c.Instance + "-" }

// uplinkName names the machine's end of the link to a router, after its
// address. A name has at most 15 bytes (IFNAMSIZ).
func (c Config) uplinkName(l uplink) string {
	return c.linkPrefix() + hex.EncodeToString(l.machine.AsSlice())
}

// portName names the router's end of the link to an interface: by 40 bits of a
// hash of its id. Not by its address, as another interface may get that while the
// kernel is still removing the last.
func (c Config) portName(interfaceID string) string {
	sum := sha256.Sum256([]byte(interfaceID))
	return c.linkPrefix() + nameEncoding.EncodeToString(sum[:5])
}

var nameEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567")

// tableName names the nftables table on the machine.
func (c Config) tableName() string { return "fargo-" + c.Instance }

// unreachableMetric is the metric of the machine's routes for unused addresses:
// larger than any that people choose, and different for every instance so
// that each has its own.
func (c Config) unreachableMetric() int {
	n, _ := strconv.ParseUint(c.Instance, 16, 16)
	return 0x7fff0000 + int(n)
}
