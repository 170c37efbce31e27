// Package record has the types of what the control plane stores: one file for each
// noun, one type for each table of package store. A record has the user's intent as
// the AWS shape that it came in, and our own status in other fields. Each field has one
// writer, which the comment of its type names.
//
// The package uses those types of package desired that a record repeats, such as a
// task's last report. It refuses to know how records are stored, changed or shown. No
// code that runs on a node imports it.
//
// # Who writes what
//
//   - A task's intent (definition, overrides, network configuration, tags) is
//     written once, by the API call that made the task, and never edited.
//   - A task's desired status is written by the control plane only. It moves
//     from RUNNING to STOPPED at most once.
//   - A task's observed status (everything in its report) is written by the node
//     that runs it, and only moves forward in the order of [fargo.TaskStatus]. A
//     task that has no node yet is moved by the control plane.
//   - A network interface and its address belong to the control plane, which gives
//     an address to one interface at a time and takes it back when the task is
//     STOPPED.
package record
