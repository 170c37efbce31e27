// Package host is the contract between a node and what it drives on its machine: the
// container runtime, and the kernel's networks and control groups. It says what is
// to be there and what was found. It refuses to know how that is brought about,
// which packages containerd and kernel know, and why, which package node does.
package host
