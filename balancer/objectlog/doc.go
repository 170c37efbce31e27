// Package objectlog writes the logs of load balancers to files that are named as AWS
// names the objects it puts in S3, and sends those that are finished, compressed, until
// they are taken. It knows names, times and lines. It refuses to know what a line says,
// and who takes the files.
package objectlog
