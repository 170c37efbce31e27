package record

import "time"

// Node is a machine that runs tasks. It registers itself when it first speaks
// to the control plane.
type Node struct {
	ID           string
	RegisteredAt time.Time
}

// Key is the node's place in the store.
func (n *Node) Key() string { return n.ID }
