// Package taskmetadata answers what tasks ask about themselves, at 169.254.170.2 in every
// VPC: their metadata (versions 2 to 4), what their containers use, the credentials of
// their role, and their protection from scale-in. Tasks that run functions get their events
// there, by Lambda's runtime API.
//
// A task is known by the address that it asks from, which the VPC's packet filter holds
// to be its own, and gets nothing of another. Ids in paths choose among its containers;
// that of its credentials has to be known too, so that whoever can make a task's program
// fetch an address does not get them.
//
// Metadata is what the node knows. Statistics are read when they are asked for, at most
// once a second for each container. There is no limit of requests.
//
// The package does not know how a task runs, how its credentials come to be, or what
// protects it.
// Sources: ECS developer guide, "Amazon ECS task metadata endpoint version 4 for tasks on
// Fargate", "Amazon ECS task scale-in protection endpoint"; amazon-ecs-agent, of errors.
package taskmetadata
