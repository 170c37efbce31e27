// Package accesslog writes down requests, connections and flows as lines of AWS's
// access and connection logs. It knows the order and the form of their fields, and
// refuses to know where lines go.
package accesslog
