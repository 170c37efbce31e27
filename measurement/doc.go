// Package measurement measures what the tasks of a machine use and what its load balancers
// do, period by period, and sends it to the control plane: each period once, also when
// either process is killed in between, or the control plane is away for hours.
//
// The kernel and the load balancers count up; a measurement is the difference between two
// looks. Both the measurement and the counts that it ends with are in one file, before it is
// sent: the next process goes on from there, so that the time in which there was none is
// part of the next period. A measurement has a number, by which the control plane takes it
// in once.
//
// The package does not know what metrics are made of measurements, nor which services tasks
// are of.
package measurement
