// Package objectlog writes the logs of load balancers to files that are named as
// AWS names the objects it puts in S3. It knows names, times and lines, and nothing
// of what a line says.
package objectlog
