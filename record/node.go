package record

import (
	"time"

	"fargo/desired"
)

// NodeState says what the control plane expects of a node.
type NodeState string

// The states of a node.
const (
	// NodeActive: it takes tasks and interfaces of load balancers.
	NodeActive NodeState = "ACTIVE"
	// NodeDraining: it keeps what it has and gets nothing new.
	NodeDraining NodeState = "DRAINING"
	// NodeLost: what it has is unknown, because it has not been heard of for too
	// long or is new. All of its tasks are STOPPED on record. It is ACTIVE once it
	// says that it holds nothing.
	NodeLost NodeState = "LOST"
	// NodeGone: nobody expects it back. Its record goes when no task refers to it.
	NodeGone NodeState = "GONE"
)

// Node is a machine that runs tasks. It registers itself when it opens its first
// session.
//
// State is written by the node controller; but what a new session begins with, by
// package control's Plane when the node says hello, and DRAINING by it when the
// machine is put away. Seen is written with State, Hello when the node says
// something else than before.
type Node struct {
	// ID is 32 hexadecimal digits that the node made at random. Nodes of older
	// versions are known by the four digits that their machine's links and control
	// groups are named after.
	ID           string
	RegisteredAt time.Time
	State        NodeState
	// Seen is when the node was last heard of, as of the latest change of State:
	// that it is still heard of is kept in memory alone.
	Seen time.Time
	// Hello is what the node last said of itself: its machine, zone, address, capacity
	// and version.
	Hello desired.Hello
}

// Key is the node's place in the store.
func (n *Node) Key() string { return n.ID }

// Active reports whether the node takes tasks and interfaces of load balancers.
func (n *Node) Active() bool { return n.State == NodeActive }
