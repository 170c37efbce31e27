// Package netconn has what a proxy needs of network connections: idle timeouts,
// reads and writes that spare the scheduler's work, writes of several goroutines
// that become one, tunnels between two connections, and sets of connections that
// are closed together. It refuses to know what is said on a connection, and who is
// at its other end.
package netconn
