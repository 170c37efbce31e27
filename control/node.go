package control

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// endedAtOnce bounds the tasks of a lost node that are ended in one transaction, so
// that none holds up the API for long, nor is larger than a journal takes.
const endedAtOnce = 100

// Nodes is the controller that marks nodes as lost which have had no session for too
// long, stops their tasks, and makes them active again when they are back.
func Nodes(sessions *Sessions) Controller {
	n := nodes{sessions}
	return Controller{
		Name: "node",
		All:  func(r store.Reader) iter.Seq[string] { return keys(store.Nodes.All(r)) },
		Scope: func(_ store.Reader, c store.Change) iter.Seq[string] {
			if c.Table == store.Nodes.Name() {
				return slices.Values([]string{c.Key})
			}
			return slices.Values([]string(nil))
		},
		Reconcile: n.reconcile,
	}
}

type nodes struct{ sessions *Sessions }

func (c nodes) reconcile(tx *store.Tx, key string, now time.Time) (time.Time, error) {
	n, ok := store.Nodes.Get(tx, key)
	if !ok {
		return time.Time{}, nil
	}
	contact := c.sessions.contact(key, now)
	action, next := plan.NextNodeAction(n, contact, busy(tx, key), now)
	turn := func(state record.NodeState, seen time.Time) {
		turned := *n
		turned.State, turned.Seen = state, seen
		store.Nodes.Put(tx, &turned)
	}
	switch action {
	case plan.NodeMarkLost:
		turn(record.NodeLost, contact.LastSeen)
	case plan.NodeStopTasks:
		return endTasks(tx, key, now), nil
	case plan.NodeActivate:
		turn(record.NodeActive, now)
	case plan.NodeMarkGone:
		turn(record.NodeGone, contact.LastSeen)
	case plan.NodeDelete:
		if hasTask(tx, key) {
			return now.Add(time.Minute), nil // until the last is forgotten
		}
		store.Nodes.Delete(tx, key)
		c.sessions.forget(key)
	}
	return next, nil
}

// busy reports whether a node has a task that is not STOPPED on record.
func busy(r store.Reader, node string) bool {
	for range store.Tasks.By(r, store.TaskByNode, node) {
		return true
	}
	return false
}

// hasTask reports whether there is any task of a node, STOPPED ones included.
func hasTask(r store.Reader, node string) bool {
	for t := range store.Tasks.All(r) {
		if t.Node == node {
			return true
		}
	}
	return false
}

// endTasks ends tasks of a lost node, and says when to go on: at once.
func endTasks(tx *store.Tx, node string, now time.Time) (next time.Time) {
	n := 0
	for t := range store.Tasks.By(tx, store.TaskByNode, node) {
		if n++; n > endedAtOnce {
			break
		}
		store.Tasks.Put(tx, plan.StopLost(t, now))
	}
	return now
}

// Hello registers a node that has opened a session, which lasts as long as ctx. A node
// on record keeps its tasks, unless it was lost. An earlier node of the same machine is
// GONE from then on. What is on record under the node's former name becomes the node's.
func (p *Plane) Hello(ctx context.Context, h desired.Hello) error {
	p.Sessions.open(ctx, h.ID)
	if n, ok := store.Nodes.Get(p.DB.View(), h.ID); ok && *plan.Registered(n, h, time.Now()) == *n {
		return nil // also when nothing can be written
	}
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		now := time.Now()
		before, known := store.Nodes.Get(tx, h.ID)
		if !known {
			before = takeOver(tx, h)
			retire(tx, h, now)
		}
		store.Nodes.Put(tx, plan.Registered(before, h, now))
		return nil
	})
}

// takeOver gives a node what is on record under its former name, and that record
// with its new id; nil when there is none. Nodes had such names when a store was one
// machine's alone.
func takeOver(tx *store.Tx, h desired.Hello) *record.Node {
	former, ok := store.Nodes.Get(tx, h.Former)
	if !ok {
		return nil
	}
	for t := range store.Tasks.By(tx, store.TaskByNode, h.Former) {
		moved := *t
		moved.Node = h.ID
		store.Tasks.Put(tx, &moved)
	}
	for lb := range store.ELBLoadBalancers.All(tx) {
		if plan.On(lb, h.Former) {
			moved := *lb
			moved.Nodes = map[string]string{}
			for i, n := range lb.Nodes {
				if moved.Nodes[i] = n; n == h.Former {
					moved.Nodes[i] = h.ID
				}
			}
			store.ELBLoadBalancers.Put(tx, &moved)
		}
	}
	store.Nodes.Delete(tx, h.Former)
	n := *former
	n.ID = h.ID
	return &n
}

// retire has the nodes be GONE that will not come back because another has said
// hello from their machine.
func retire(tx *store.Tx, h desired.Hello, now time.Time) {
	for n := range store.Nodes.All(tx) {
		if plan.Replaced(n, h) {
			gone := *n
			gone.State, gone.Seen = record.NodeGone, now
			store.Nodes.Put(tx, &gone)
		}
	}
}

// ReportEmpty notes that a node has no tasks and no interfaces of load balancers left:
// one that was lost becomes ACTIVE.
func (p *Plane) ReportEmpty(ctx context.Context, node string) error {
	p.Sessions.empty(node)
	if n, ok := store.Nodes.Get(p.DB.View(), node); ok && n.Active() {
		return nil
	}
	err := p.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := nodes{p.Sessions}.reconcile(tx, node, time.Now())
		return err
	})
	if err != nil {
		return fmt.Errorf("take node %s: %w", node, err)
	}
	return nil
}
