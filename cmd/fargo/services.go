package main

import (
	"maps"
	"net/netip"
	"time"

	"fargo"
	"fargo/api"
	apiacm "fargo/api/acm"
	apiapplicationautoscaling "fargo/api/applicationautoscaling"
	apicloudwatch "fargo/api/cloudwatch"
	apiec2 "fargo/api/ec2"
	apiecr "fargo/api/ecr"
	apiecs "fargo/api/ecs"
	apiefs "fargo/api/efs"
	apielbv2 "fargo/api/elbv2"
	apievents "fargo/api/events"
	"fargo/api/execsession"
	"fargo/api/forward"
	apiiam "fargo/api/iam"
	apikms "fargo/api/kms"
	apilogs "fargo/api/logs"
	apis3 "fargo/api/s3"
	apischeduler "fargo/api/scheduler"
	apisecretsmanager "fargo/api/secretsmanager"
	apissm "fargo/api/ssm"
	apists "fargo/api/sts"
	"fargo/aws/acm"
	"fargo/aws/applicationautoscaling"
	"fargo/aws/cloudwatch"
	"fargo/aws/ec2"
	"fargo/aws/ecr"
	"fargo/aws/ecs"
	"fargo/aws/efs"
	"fargo/aws/elbv2"
	"fargo/aws/events"
	"fargo/aws/iam"
	"fargo/aws/kms"
	awslogs "fargo/aws/logs"
	"fargo/aws/s3"
	"fargo/aws/scheduler"
	"fargo/aws/secretsmanager"
	"fargo/aws/ssm"
	"fargo/aws/sts"
	"fargo/control"
	"fargo/eventbus"
	"fargo/kernel"
	keys "fargo/kms"
	"fargo/lambda"
	"fargo/logs"
	"fargo/metrics"
	"fargo/objects"
	"fargo/store"
)

// dependencies are what the services work on. Without them, the services can only
// list what they implement.
type dependencies struct {
	db      *store.DB
	logs    *logs.Store
	metrics *metrics.Store
	ecr     *apiecr.Server
	// functions are those that can be called in the place of Lambda functions.
	functions *lambda.Functions
	// objects are the contents of S3.
	objects    *objects.Store
	authorizer api.Authorizer
	calls      api.Calls            // that services make of each other
	messages   *api.FailureMessages // of what the authorizer denies
	lastUse    *apiiam.LastUse
	// public is the range of public addresses, elasticIPs the quota of allocated ones.
	public     netip.Prefix
	elasticIPs int
	public6    netip.Prefix // of the IPv6 blocks of VPCs
	// execAgent is that of ECS Exec in tasks.
	execAgent execsession.Agent
	events    *eventbus.Router
	history   *control.EventHistory
	// pace divides the waiting times that configuration prescribes.
	pace fargo.Pace
}

// actions are the IAM actions of each service's operations, by its name.
func actions(l *logs.Store) map[string]*api.Actions {
	return map[string]*api.Actions{
		acm.API.Name:                    apiacm.Actions,
		applicationautoscaling.API.Name: apiapplicationautoscaling.Actions,
		cloudwatch.API.Name:             apicloudwatch.Actions,
		ec2.API.Name:                    apiec2.Actions,
		ecr.API.Name:                    apiecr.Actions,
		ecs.API.Name:                    apiecs.Actions,
		efs.API.Name:                    apiefs.Actions,
		elbv2.API.Name:                  apielbv2.Actions,
		events.API.Name:                 apievents.Actions,
		iam.API.Name:                    apiiam.Actions,
		kms.API.Name:                    apikms.Actions,
		awslogs.API.Name:                apilogs.Actions(l),
		s3.API.Name:                     apis3.Actions,
		ssm.API.Name:                    apissm.Actions,
		scheduler.API.Name:              apischeduler.Actions,
		sts.API.Name:                    apists.Actions,
		secretsmanager.API.Name:         apisecretsmanager.Actions,
	}
}

// withForwarded adds the actions of services that may be forwarded.
func withForwarded(all map[string]*api.Actions) map[string]*api.Actions {
	maps.Copy(all, forward.Actions)
	return all
}

// keyUsable says whether a service may encrypt with a key: see [keys.UsableBy].
func (r dependencies) keyUsable(keyARN, service, contextName, resourceARN string) error {
	return keys.UsableBy(r.db.View(), keyARN, service, contextName, resourceARN)
}

// services are all AWS services that are implemented.
func services(r dependencies) []api.Mounted {
	roles := apiiam.New(apiiam.Config{DB: r.db, LastUse: r.lastUse, Calls: r.calls})
	buckets := apis3.New(apis3.Config{DB: r.db, Contents: r.objects, Authorizer: r.authorizer})
	return []api.Mounted{
		{Service: &acm.API, Server: apiacm.New(r.db), Gaps: apiacm.NotActedOn},
		{Service: &applicationautoscaling.API, Server: apiapplicationautoscaling.New(apiapplicationautoscaling.Config{DB: r.db, EnsureServiceRole: roles.EnsureServiceRole}), Gaps: apiapplicationautoscaling.NotActedOn},
		{Service: &cloudwatch.API, Server: apicloudwatch.New(apicloudwatch.Config{DB: r.db, Metrics: r.metrics, Now: time.Now, Pace: r.pace}), Gaps: apicloudwatch.NotActedOn},
		{Service: &ec2.API, Server: apiec2.New(apiec2.Config{
			DB: r.db, Networks: kernel.MachineNetworks, Public: r.public, ElasticIPs: r.elasticIPs, Public6: r.public6,
		}), Gaps: apiec2.NotActedOn},
		{Service: &ecr.API, Server: r.ecr, Gaps: apiecr.NotActedOn},
		{Service: &ecs.API, Server: apiecs.New(apiecs.Config{
			DB: r.db, Assumable: apiiam.Assumable, EnsureServiceRole: roles.EnsureServiceRole, TrySysctl: kernel.TrySysctl, TryUlimit: kernel.TryUlimit, ExecAgent: r.execAgent,
		}), Gaps: apiecs.NotActedOn, Rates: apiecs.Rates},
		{Service: &efs.API, Server: apiefs.New(r.db), Gaps: apiefs.NotActedOn},
		{Service: &elbv2.API, Server: apielbv2.New(apielbv2.Config{DB: r.db, Public: r.public, Buckets: logBuckets{buckets}, EnsureServiceRole: roles.EnsureServiceRole}), Gaps: apielbv2.NotActedOn},
		{Service: &events.API, Server: apievents.New(apievents.Config{DB: r.db, Router: r.events, Keep: r.history.Keep, Callable: r.functions.Callable}), Gaps: apievents.NotActedOn},
		{Service: &iam.API, Server: roles},
		{Service: &kms.API, Server: apikms.New(r.db), Gaps: apikms.NotActedOn},
		{Service: &awslogs.API, Server: apilogs.New(apilogs.Config{Store: r.logs, Unlisted: historyGroup, KeyUsable: r.keyUsable}), Gaps: apilogs.NotActedOn},
		{Service: &secretsmanager.API, Server: apisecretsmanager.New(apisecretsmanager.Config{DB: r.db, Callable: r.functions.Callable}), Gaps: apisecretsmanager.NotActedOn},
		{Service: &s3.API, Server: buckets, Gaps: apis3.NotActedOn, Locate: buckets.Locate, CheckBody: apis3.CheckBody},
		{Service: &ssm.API, Server: apissm.New(apissm.Config{DB: r.db, ExecAgent: r.execAgent}), Gaps: apissm.NotActedOn},
		{Service: &scheduler.API, Server: apischeduler.New(apischeduler.Config{DB: r.db, Assumable: apiiam.Assumable, Callable: r.functions.Callable}), Gaps: apischeduler.NotActedOn},
		{Service: &sts.API, Server: apists.New(apists.Config{DB: r.db, Messages: r.messages})},
	}
}
