package plan

import (
	"time"

	"fargo"
	"fargo/desired"
	"fargo/record"
)

const (
	// nodeSilence is how long a node may be silent before it is lost. A connection
	// that breaks is noticed within 15 seconds and dialed again every two, and a
	// node's process that ends is started again within five: what lasts longer than
	// this is neither. It is long enough for a machine that is slow under load, for
	// what is lost is ended when the node comes back. No configuration of AWS's
	// prescribes it, so --speed does not divide it.
	nodeSilence = 2 * time.Minute
	// nodeAbsence is how long a lost node is expected back.
	nodeAbsence = 24 * time.Hour
)

// NodeContact is what the control plane has heard of a node since it began to
// listen. It is kept in memory: what a control plane that is dead did not hear,
// nobody said too late.
type NodeContact struct {
	Connected bool // it has a session now
	// Empty says that the node has said, in the session that it has now, that it
	// holds nothing of tasks or load balancers.
	Empty bool
	// Heard is when it was last heard of: now while it is connected, and when the
	// control plane began to listen if it has not been connected since.
	Heard time.Time
}

// NodeAction is what the control plane should do next for a node.
type NodeAction int

// The actions, and when they are due.
const (
	NodeWait     NodeAction = iota
	NodeLose                // silent for too long: it is LOST
	NodeEnd                 // LOST or GONE with tasks: they are STOPPED
	NodeActivate            // LOST, back, and holds nothing: it is ACTIVE
	NodeRemove              // LOST for too long: it is GONE
	NodeForget              // GONE, and its last task may be forgotten: delete it if so
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
			return NodeEnd, time.Time{}
		case c.Connected && c.Empty:
			return NodeActivate, time.Time{}
		}
		return until(c.Heard.Add(nodeAbsence), NodeRemove)
	case record.NodeGone:
		switch {
		case busy:
			return NodeEnd, time.Time{}
		case c.Connected:
			return NodeWait, now.Add(nodeAbsence)
		}
		return until(n.Seen.Add(StoppedRetention), NodeForget)
	default:
		return until(c.Heard.Add(nodeSilence), NodeLose)
	}
}

// Greeted is a node that has opened a session, with what it says of itself; before
// is nil when it is not on record. A node that takes nothing yet is LOST: new ones,
// those that nobody expected back, and those that were drained when their machine
// was put away.
func Greeted(before *record.Node, h desired.Hello, now time.Time) *record.Node {
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

// Lost is a task whose node is lost: STOPPED, whatever its containers do. A task that
// was to stop keeps its reason.
func Lost(t *record.Task, now time.Time) *record.Task {
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
