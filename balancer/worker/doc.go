// Package worker lets several processes, each with a [balancer.Server], be the
// load balancers of one node: one process for each processor, all listening at
// the same ports, as the workers of other proxies do. It knows how a worker is
// told what to do and how its node keeps the right number of them; it refuses to
// know how a process is started and found again, which is behind [Processes],
// and what a load balancer does.
//
// The node has a [Fleet]. It checks the targets' health, once for all workers,
// and tells each the same: what to do and what is known of targets. Workers
// outlive it: while there is no fleet they serve as they were told last, and the
// next fleet finds them, takes over what was known, and goes on.
//
// What workers are told is in pieces: a load balancer, a target group, a certificate,
// what is known of a group's targets. Each change is a new generation. The fleet
// remembers the generation that each worker has acknowledged, and tells it the pieces
// that have changed since; one of which it knows nothing, because it has just been
// started or was found running, is told all.
//
// A worker answers these requests of HTTP on its control socket, with JSON:
//
//	PATCH /config  leads from a generation to another; answers with the one that it has
//	               then and with what of it cannot be done; 409 when it has another
//	GET /health    what it was told last of targets
//	GET /metrics   what was counted
//	GET /metrics/last
//	               what was counted, and the same again when the worker has ended
//
// A worker of another build is asked nothing but for its health and, last, for what it
// has counted, which builds answer alike, and replaced.
package worker
