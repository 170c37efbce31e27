// Package containerd is the container runtime of a node: images, containers,
// processes in them, how they ended and what they use. [Daemon] keeps a
// containerd of our own alive; [Runtime] speaks to it, and is the only place
// that imports its client.
//
// It knows how a [host.ContainerSpec] becomes an OCI container that behaves as
// Docker's would, and it keeps nothing of its own: what it answers is what
// containerd, its shims and the kernel say, so that it may die at any line. It
// refuses to know tasks (beyond the id that groups containers), networks,
// desired states and retries.
package containerd
