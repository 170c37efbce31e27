// Package flowlog makes the records of VPC flow logs on a node: it adds up what crosses
// each interface in windows of time, and writes a line for each connection, direction and
// window. It knows AWS's fields and how a connection looks from either end, also where
// addresses are translated between them. It refuses to know how packets are counted, which
// package kernel does, and how lines get to a log group, which package node does.
//
// Windows begin at whole minutes. Every minute each router is asked for its connections,
// so that the times of a record are at most a minute off; those of a flow log with ten
// minutes are added up. Sources: VPC user guide, "Logging IP traffic using VPC Flow Logs",
// "Flow log records", "Flow log limitations".
package flowlog
