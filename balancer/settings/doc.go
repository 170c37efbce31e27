// Package settings reads the attributes of load balancers, listeners and target
// groups, which come by AWS's keys as texts, with AWS's defaults. It refuses to
// know who acts on them.
package settings
