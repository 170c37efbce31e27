// Package sim simulates a whole installation in one process: the real store, API
// handlers, controllers, connections and nodes, on simulated machines and with
// simulated time.
//
// A [World] is a control plane and a few machines. A seed decides what its user
// asks for, and which faults are injected and when (fault.go has the list). Every
// durable state is checked against the invariants (invariant.go). In the end faults
// stop, and the state must converge to what the user wants (converge.go), with
// nothing leaked (leaks.go).
//
// [Measure] measures what a large cluster costs.
//
// Both run in a bubble of testing/synctest. The package knows every other room. It
// refuses to decide anything for them, and simulates only what is outside of Fargo:
// users, machines, disks, networks.
package sim
