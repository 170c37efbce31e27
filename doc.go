// Package fargo names things: accounts, regions, ids, ARNs, image names, and the
// states of tasks with their order. Every other package may speak of these.
//
// It knows no behaviour: nothing here reads a clock, a disk, a socket or the
// kernel. It refuses to know what is kept of a thing, which is package record's,
// and what a node is told of it, which is package desired's.
package fargo
