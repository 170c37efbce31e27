package main

import (
	"net"
	"net/netip"
	"os"
	"regexp"
	"slices"

	"fargo/kernel"
)

// apiName is the name under which Fargo's own processes and commands know the APIs, wherever
// these are and whatever certificate other clients are shown. Nobody else has it: .internal
// is set aside for private use. Source: ICANN Board resolution 2024.07.29.06.
const apiName = "api.fargo.internal"

// apiNames are what the certificate of APIs that are served at an address is for: the hosts
// first, then the addresses. Buckets may stand in front of the hosts.
func apiNames(listening netip.Addr, hostname string, outside []netip.Addr) []string {
	names := []string{"localhost", "*.localhost", apiName}
	if hostName.MatchString(hostname) && hostname != "localhost" {
		names = append(names, hostname, "*."+hostname)
	}
	addresses := []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	if listening = listening.Unmap().WithZone(""); listening.IsUnspecified() {
		addresses = append(addresses, outside...)
	} else {
		addresses = append(addresses, listening)
	}
	slices.SortFunc(addresses, netip.Addr.Compare)
	for _, a := range slices.Compact(addresses) {
		names = append(names, a.String())
	}
	return names
}

// hostName matches what a certificate can be for.
var hostName = regexp.MustCompile(`^[0-9A-Za-z]([0-9A-Za-z-]*[0-9A-Za-z])?(\.[0-9A-Za-z]([0-9A-Za-z-]*[0-9A-Za-z])?)*$`)

// namesAt gives the names at the moment for what listens at an address.
func namesAt(a net.Addr) ([]string, error) {
	listening, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return nil, err
	}
	hostname, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	outside, err := kernel.OutsideAddresses()
	return apiNames(listening.Addr(), hostname, outside), err
}
