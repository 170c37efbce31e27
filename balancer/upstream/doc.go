// Package upstream keeps the connections to targets: it opens them, keeps those of
// HTTP/1.x that are idle for later requests, and closes them when a target's time
// is over. It knows a target by its address, and refuses to know target groups,
// health and routing.
package upstream
