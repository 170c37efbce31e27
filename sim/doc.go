// Package sim rehearses the whole: the real store, controllers, messenger and
// nodes in one process, with simulated machines and simulated time.
//
// A [World] is a control plane and a few machines. A seed decides what its user
// asks for and what goes wrong: processes are killed and started again on what
// they left, machines lose power, connections break or fall silent, containers
// die or fail their checks, images cannot be pulled, the disk is full. Every
// durable state is held against the laws (law.go), and in the end everything
// must come to rest, and nothing may be left (settle.go, leftovers.go).
//
// [Measure] takes what a large cluster costs.
//
// Both need a bubble of testing/synctest. The package knows every other room; it
// refuses to decide anything for them, and stands in only for what is outside of
// Fargo: users, machines, disks, networks.
package sim
