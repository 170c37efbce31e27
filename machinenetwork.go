package fargo

import "net/netip"

// MachineNetwork is a network that a machine reaches by itself.
type MachineNetwork struct {
	Prefix netip.Prefix
	Link   string // by which: "eth0"; empty when there is none
}
