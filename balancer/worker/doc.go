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
// A worker answers these requests of HTTP on its control socket, with JSON:
//
//	PUT /config   what to do, and what is known of targets; 422 tells what of it cannot be done
//	PUT /health   what is known of targets
//	GET /health   the same, as it was told last
//	GET /metrics  what was counted
package worker
