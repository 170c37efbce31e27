// Package fargo is the hall of the house: the nouns every room speaks, the
// identifiers they carry, the order of a task's states, and who may write which
// field. It knows no behaviour: nothing here reads a clock, a disk, a socket or
// the kernel, and it refuses to know how any noun is stored, drawn or enforced.
//
// # Who writes what
//
//   - A task's intent (definition, overrides, network configuration, tags) is
//     written once, by the API call that made the task, and never edited.
//   - A task's desired status is written by the control plane only. It moves
//     from RUNNING to STOPPED at most once.
//   - A task's observed status (everything in [TaskReport]) is written by the
//     node that runs it, and only moves forward in the order of [TaskStatus].
//     A task that has no node yet is moved by the control plane.
//   - An [Interface] and its address belong to the control plane, which gives an
//     address to one interface at a time and takes it back when the task is
//     STOPPED.
package fargo
