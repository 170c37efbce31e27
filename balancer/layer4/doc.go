// Package layer4 is the network load balancer: it joins connections of TCP and TLS
// to targets, and passes datagrams of UDP both ways. It refuses to know how ports
// are opened, how a target is chosen, and what the bytes mean.
package layer4
