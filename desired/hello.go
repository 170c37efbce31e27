package desired

import "net/netip"

// Hello is what a node says of itself when it opens a session.
type Hello struct {
	// ID is 32 hexadecimal digits, made by the node at random at its first start. A
	// node that has lost its data is a new one.
	ID string `json:"id"`
	// Former is what nodes on this machine were known by before they had ids: the
	// four digits that links and control groups are named after.
	Former string `json:"former,omitempty"`
	// Machine tells the installation on this machine from all others, for as long as
	// the machine is up. There, no two nodes live at once: of two that name the same
	// one, the earlier will not come back.
	Machine string `json:"machine,omitempty"`
	// Zone is the availability zone the machine is in; empty means that it is as
	// near to all of them.
	Zone string `json:"zone,omitempty"`
	// Address is where other machines reach this one; absent if nowhere.
	Address netip.Addr `json:"address,omitzero"`
	// Network names what carries packets between the VPCs of machines: nodes with
	// the same one reach each other's interfaces. Empty means that there is nothing
	// of the kind.
	Network string `json:"network,omitempty"`
	// CPU is in ECS units (1024 are one core), Memory in MiB: all that the machine has.
	CPU    int64 `json:"cpu,omitempty"`
	Memory int64 `json:"memory,omitempty"`
	// DataChannels is where the node serves data channels of ECS Exec, as "address:port". An
	// address that is unspecified or of loopback means the one by which the client reaches
	// the control plane. Empty if nowhere.
	DataChannels string `json:"dataChannels,omitempty"`
	// Build tells builds of the node's program apart.
	Build string `json:"build,omitempty"`
	// Contract is the node's [Version].
	Contract int `json:"contract,omitempty"`
}
