// Package health checks the health of targets: by TCP, HTTP, HTTPS, HTTP/2 or gRPC,
// as their groups' settings say, and tells the state that follows from the checks.
//
// A [Checker] is told by Set which targets there are, and tells by Health what it
// found. It reaches targets through its [Dialer] alone, and takes time only from
// package time: with a dialer in memory it runs in a bubble of testing/synctest.
// It refuses to know what a target is, and what is done about its health.
package health
