// Package metrics counts what load balancers and target groups do, under the names
// that CloudWatch has for it, and adds up what several processes counted. It
// refuses to know who asks.
package metrics
