package store

import "fargo/record"

// ByService is the index of deployments by their service's key.
const ByService = "service"

// DeploymentByRevision is the index of deployments by the ARN of their revision.
const DeploymentByRevision = "revision"

// Services are the ECS services, by scope, cluster and name.
var Services = NewTable("service", (*record.Service).Key)

// Deployments are the deployments of services, by the ARN of the service
// deployment.
var Deployments = NewTable("deployment", (*record.Deployment).Key,
	Index[record.Deployment]{ByService, func(d *record.Deployment) []string { return []string{d.Service} }},
	Index[record.Deployment]{DeploymentByRevision, func(d *record.Deployment) []string { return []string{d.RevisionARN()} }})

// DesiredCount is how many tasks a service is to have: one for each active node when it is
// a daemon's.
func DesiredCount(r Reader, s *record.Service) int32 {
	if s.Service.DesiredCount != nil {
		return *s.Service.DesiredCount
	}
	n := int32(0)
	for node := range Nodes.All(r) {
		if node.Active() {
			n++
		}
	}
	return n
}

// DeleteDeployments deletes those of a service's deployments that ended tells.
// service is its key.
func DeleteDeployments(tx *Tx, service string, ended func(*record.Deployment) bool) {
	for d := range Deployments.By(tx, ByService, service) {
		if ended(d) {
			Deployments.Delete(tx, d.Key())
		}
	}
}
