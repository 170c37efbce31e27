// Package fargo has the names that all other packages use: accounts, regions, ids,
// ARNs, image names, and the states of tasks with their order.
//
// It has no behavior: nothing here reads a clock, a disk, a socket or the kernel. What
// the control plane stores is in package record, and what nodes are sent in package
// desired.
package fargo
