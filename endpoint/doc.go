// Package endpoint answers for Fargo's APIs inside VPCs: at an address of every VPC
// ([desired.PlatformAddress]) and at the interfaces of interface endpoints, on ports 80
// and 443; and for S3 alone where that has an address of its own.
//
// It forwards requests to the control plane as they came, with their Host and their
// signatures, and streams bodies both ways. On port 443 it ends TLS, for HTTP/1.1 and
// HTTP/2, with certificates of Fargo's authority. The data channels of sessions of ECS Exec
// it hands over to those who serve them on the node. Nothing else of the machine can be
// reached: neither another host, by an absolute URI or CONNECT, nor paths that are the
// machine's own. While the control plane is away, clients get an error of AWS's that SDKs
// try again on.
//
// The package does not know what an API is, who resolves its names, or which packets
// reach it.
package endpoint
