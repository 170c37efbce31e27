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
	// NodeLost: the control plane does not know what runs on it, because it has had no
	// session for too long, or is new. All tasks it had are STOPPED on record. It becomes
	// ACTIVE when it reports that it is empty.
	NodeLost NodeState = "LOST"
	// NodeGone: it is not expected back. Its record is deleted when no task refers to
	// it.
	NodeGone NodeState = "GONE"
)

// Node is a machine that runs tasks. It registers itself when it opens its first
// session.
//
// State and Seen are written by the node controller, and by package control's Plane
// when a session begins and when all tasks are drained. Hello is written by Plane when
// it differs from the last one.
type Node struct {
	// ID is 32 hexadecimal digits that the node made at random. Nodes of older
	// versions are known by the four digits that their machine's links and control
	// groups are named after.
	ID           string
	RegisteredAt time.Time
	State        NodeState
	// Seen is when the node last had a session, as of the latest change of State. What
	// happens between two changes is kept in memory only, by control.Sessions.
	Seen time.Time
	// Hello is what the node last said of itself: its machine, zone, address, capacity
	// and version.
	Hello desired.Hello
}

// Key is the node's place in the store.
func (n *Node) Key() string { return n.ID }

// Active reports whether the node takes tasks and interfaces of load balancers.
func (n *Node) Active() bool { return n.State == NodeActive }
