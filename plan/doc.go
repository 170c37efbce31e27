// Package plan makes the control plane's decisions: pure functions of the desired state,
// the observed state and the time, which return what should change. It knows the rules
// of ECS, EC2, Elastic Load Balancing and ACM. It refuses to know a clock, a disk, a
// socket or a goroutine, so that every decision can be tested as text and simulated by
// the million.
package plan
