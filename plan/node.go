package plan

import (
	"time"

	"fargo"
	"fargo/desired"
	"fargo/record"
)

const (
	// nodeTimeout is how long a node may have no session before it is lost. A connection
	// that breaks is noticed within 15 seconds and dialed again every two, and a node
	// process that ends is started again within five. This is several times as long,
	// because a machine that is slow for a while must not lose its tasks: they end when
	// the node comes back. AWS has no such setting, so --speed does not divide it.
	nodeTimeout = 2 * time.Minute
	// nodeRetention is how long a lost node is expected back.
	nodeRetention = 24 * time.Hour
)

// NodeContact is what the control plane knows of a node's sessions since it began to
// listen. It is kept in memory: while no control plane listens no node is late.
type NodeContact struct {
	Connected bool // it has a session now
	// Empty says that the node has reported, in its present session, that it has no
	// tasks and no interfaces of load balancers.
	Empty bool
	// LastSeen is now while it is connected, else when its last session ended, else when
	// the control plane began to listen.
	LastSeen time.Time
}

// NodeAction is what the control plane should do next for a node.
type NodeAction int

// The actions, and when they are due.
const (
	NodeWait      NodeAction = iota
	NodeMarkLost             // no session for too long: it is LOST
	NodeStopTasks            // LOST or GONE with tasks: they are STOPPED
	NodeActivate             // LOST, connected and empty: it is ACTIVE
	NodeMarkGone             // LOST for too long: it is GONE
	NodeDelete               // GONE, and its last task may be forgotten: delete it if so
)

// NextNodeAction decides what a node needs. busy says that it has tasks which are not
// STOPPED on record. When it answers NodeWait with a time, the node should be looked
// at again then.
func NextNodeAction(n *record.Node, c NodeContact, busy bool, now time.Time) (NodeAction, time.Time) {
	until := func(at time.Time, due NodeAction) (NodeAction, time.Time) {
		if now.Before(at) {
			return NodeWait, at
		}
		return due, time.Time{}
	}
	switch n.State {
	case record.NodeLost:
		switch {
		case busy:
			return NodeStopTasks, time.Time{}
		case c.Connected && c.Empty:
			return NodeActivate, time.Time{}
		}
		return until(c.LastSeen.Add(nodeRetention), NodeMarkGone)
	case record.NodeGone:
		switch {
		case busy:
			return NodeStopTasks, time.Time{}
		case c.Connected:
			return NodeWait, now.Add(nodeRetention)
		}
		return until(n.Seen.Add(StoppedRetention), NodeDelete)
	default:
		return until(c.LastSeen.Add(nodeTimeout), NodeMarkLost)
	}
}

// Registered is a node that has opened a session, with what it says of itself; before
// is nil when it is not on record. A node is LOST until it reports that it is empty if
// it is new, was not expected back, or was drained.
func Registered(before *record.Node, h desired.Hello, now time.Time) *record.Node {
	n := record.Node{ID: h.ID, RegisteredAt: now}
	if before != nil {
		n = *before
	}
	if n.State != record.NodeActive && n.State != record.NodeLost {
		n.State, n.Seen = record.NodeLost, now
	}
	n.Hello = h
	return &n
}

// Replaced reports whether n will not come back because another node has said hello
// from its machine.
func Replaced(n *record.Node, h desired.Hello) bool {
	return n.ID != h.ID && n.State != record.NodeGone && h.Machine != "" && n.Hello.Machine == h.Machine
}

// lostReason is why a lost node's task has stopped. ECS says "Host EC2 (instance
// i-…) terminated." of an instance; it publishes no text for a host of Fargate's.
func lostReason(node string) string { return "Host (node " + node + ") was lost." }

// StopLost is a task whose node is lost: STOPPED, whatever its containers do. A task that
// was to stop keeps its reason.
func StopLost(t *record.Task, now time.Time) *record.Task {
	s := *t
	s.Status, s.StoppedAt = fargo.TaskStopped, now
	if s.Desired != fargo.TaskStopped {
		s.Desired, s.StopCode, s.StoppedReason = fargo.TaskStopped, fargo.StopTerminationNotice, lostReason(t.Node)
	}
	if s.StoppingAt.IsZero() {
		s.StoppingAt = now
	}
	s.Version = TaskVersion(t, &s)
	return &s
}
