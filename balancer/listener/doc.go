// Package listener is the configuration of load balancers and their listeners,
// compiled: rules with their target groups, TLS, settings and logs. It knows what
// is configured, and refuses to know how connections are served.
package listener
