// Package exchange is the record of one request and what became of it, which
// counters and logs read. It decides nothing.
package exchange
