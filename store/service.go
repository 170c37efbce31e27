package store

import "fargo"

// ByService is the index of service deployments and revisions by their service's key.
const ByService = "service"

// Services are the ECS services, by scope, cluster and name.
var Services = NewTable("service", (*fargo.Service).Key)

// ServiceDeployments are the histories of deployments, by ARN.
var ServiceDeployments = NewTable("servicedeployment", (*fargo.ServiceDeployment).Key,
	Index[fargo.ServiceDeployment]{ByService, func(d *fargo.ServiceDeployment) []string { return []string{d.Service} }})

// ServiceRevisions are the revisions of services, by ARN.
var ServiceRevisions = NewTable("servicerevision", (*fargo.ServiceRevision).Key,
	Index[fargo.ServiceRevision]{ByService, func(r *fargo.ServiceRevision) []string { return []string{r.Service} }})
