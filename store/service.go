package store

import "fargo"

// ByService is the index of service deployments and revisions by their service's key.
const ByService = "service"

// Services are the ECS services, by scope, cluster and name.
var Services = NewTable("service", (*fargo.Service).Key)

// ServiceDeployments are the histories of deployments, by ARN.
var ServiceDeployments = NewTable("servicedeployment", (*fargo.ServiceDeployment).Key,
	Index[fargo.ServiceDeployment]{ByService, func(d *fargo.ServiceDeployment) []string { return []string{d.Service} }})

// DeleteServiceHistory deletes those of a service's deployments that ended tells,
// with their revisions. service is its key.
func DeleteServiceHistory(tx *Tx, service string, ended func(*fargo.ServiceDeployment) bool) {
	for d := range ServiceDeployments.By(tx, ByService, service) {
		if ended(d) {
			ServiceDeployments.Delete(tx, d.Key())
			ServiceRevisions.Delete(tx, *d.Deployment.TargetServiceRevision.Arn)
		}
	}
}

// ServiceRevisions are the revisions of services, by ARN.
var ServiceRevisions = NewTable("servicerevision", (*fargo.ServiceRevision).Key,
	Index[fargo.ServiceRevision]{ByService, func(r *fargo.ServiceRevision) []string { return []string{r.Service} }})
