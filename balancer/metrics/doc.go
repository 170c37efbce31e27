// Package metrics counts what load balancers and target groups do, under the names that
// CloudWatch has for it, by the zone of the interface that a connection came to. It knows
// what has been counted since an earlier [Snapshot] of several processes. It refuses to
// know who asks, how often, and what CloudWatch makes of it.
package metrics
