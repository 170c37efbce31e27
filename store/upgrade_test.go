package store_test

import (
	"strings"
	"testing"

	"fargo/aws/ecs"
	"fargo/record"
	"fargo/store"
)

// kept are records as they were before deployments had records of their own: a
// service that goes back from its second deployment to its first.
var kept = map[string]string{
	"service/123456789012/us-east-1/c/web": `{"Scope":{"Account":"123456789012","Region":"us-east-1"},"Cluster":"c",
		"Service":{"serviceName":"web","serviceArn":"arn:aws:ecs:us-east-1:123456789012:service/c/web","status":"ACTIVE","desiredCount":2,"taskDefinition":"web:1",
			"deploymentConfiguration":{"deploymentCircuitBreaker":{"enable":true,"rollback":true}}},
		"Deployments":[
			{"ID":"ecs-svc/1","Revision":{"serviceRevisionArn":"service-revision/c/web/1","taskDefinition":"web:1","containerImages":[{"containerName":"app","image":"app","imageDigest":"sha256:1"},{"containerName":"proxy","image":"proxy"}]},
			 "Arn":"service-deployment/c/web/b","Source":"service-revision/c/web/2","Rollout":"IN_PROGRESS","Reason":"rolling back","RollbackOf":"ecs-svc/2","CreatedAt":"2026-11-03T00:00:00Z","UpdatedAt":"2026-11-03T00:00:00Z"},
			{"ID":"ecs-svc/2","Revision":{"serviceRevisionArn":"service-revision/c/web/2","taskDefinition":"web:2"},
			 "Arn":"service-deployment/c/web/b","Source":"service-revision/c/web/1","Rollout":"FAILED","Reason":"failed","FailedTasks":3,"CreatedAt":"2026-11-02T00:00:00Z","UpdatedAt":"2026-11-03T00:00:00Z"}],
		"LastCompleted":{"serviceRevisionArn":"service-revision/c/web/1","taskDefinition":"web:1"}}`,
	"servicerevision/service-revision/c/web/0": `{"Revision":{"serviceRevisionArn":"service-revision/c/web/0","taskDefinition":"web:0"}}`,
	"servicerevision/service-revision/c/web/1": `{"Revision":{"serviceRevisionArn":"service-revision/c/web/1","taskDefinition":"web:1"}}`,
	"servicedeployment/service-deployment/c/web/z": `{"Scope":{"Account":"123456789012","Region":"us-east-1"},"Service":"123456789012/us-east-1/c/web","Deployment":{
		"serviceDeploymentArn":"service-deployment/c/web/z","createdAt":"2026-10-01T00:00:00Z","status":"STOPPED","targetServiceRevision":{"arn":"service-revision/c/web/0"}}}`,
	"servicedeployment/service-deployment/c/web/a": `{"Scope":{"Account":"123456789012","Region":"us-east-1"},"Service":"123456789012/us-east-1/c/web","Deployment":{
		"serviceDeploymentArn":"service-deployment/c/web/a","createdAt":"2026-11-01T00:00:00Z","finishedAt":"2026-11-01T01:00:00Z","status":"SUCCESSFUL","targetServiceRevision":{"arn":"service-revision/c/web/1"}}}`,
	"servicedeployment/service-deployment/c/web/b": `{"Scope":{"Account":"123456789012","Region":"us-east-1"},"Service":"123456789012/us-east-1/c/web","Deployment":{
		"serviceDeploymentArn":"service-deployment/c/web/b","createdAt":"2026-11-02T00:00:00Z","status":"ROLLBACK_IN_PROGRESS","targetServiceRevision":{"arn":"service-revision/c/web/2"},
		"rollback":{"startedAt":"2026-11-03T00:00:00Z","serviceRevisionArn":"service-revision/c/web/1"}}}`,
}

// TestDeploymentsMoveOut opens what an older version kept, twice: the second time
// there is nothing left to bring up to date.
func TestDeploymentsMoveOut(t *testing.T) {
	journal := store.NewMemory()
	for key, value := range kept {
		commit(t, journal, store.Write{Key: key, Value: []byte(value)})
	}
	for range 2 {
		view := open(t, journal).View()
		s, ok := store.Services.Get(view, "123456789012/us-east-1/c/web")
		if !ok || s.Primary != "ecs-svc/1" || s.Completed != "ecs-svc/1" {
			t.Fatalf("service: %+v", s)
		}
		if b := s.Service.DeploymentConfiguration.DeploymentCircuitBreaker; !*b.Enable || !*b.ResetOnHealthyTask || b.ThresholdConfiguration.Type != ecs.ThresholdTypeBoundedPercent {
			t.Errorf("circuit breaker: %+v", b)
		}
		found := map[string]*record.Deployment{}
		for d := range store.Deployments.By(view, store.ByService, s.Key()) {
			found[d.ID] = d
		}
		first, second, stopped := found["ecs-svc/1"], found["ecs-svc/2"], found["ecs-svc/0"]
		if len(found) != 3 || first == nil || second == nil || stopped == nil {
			t.Fatalf("deployments: %v", found)
		}
		if first.ARN != "service-deployment/c/web/a" || first.RollbackOf != "ecs-svc/2" || first.Retired || first.CompletedAt.IsZero() ||
			first.Digests["app"] != "sha256:1" || first.Digests["proxy"] != "" || *first.Template.TaskDefinition != "web:1" || !first.PrimaryAt.After(first.CreatedAt) {
			t.Errorf("the one that is gone back to: %+v", first)
		}
		if second.ARN != "service-deployment/c/web/b" || second.Retired || second.FailedTasks != 3 || second.Failures != 3 || second.Rollback == nil ||
			second.Rollback.Outcome != ecs.ServiceDeploymentStatusRollbackInProgress || second.Replaces != "service-revision/c/web/1" {
			t.Errorf("the one that failed: %+v", second)
		}
		if !stopped.Retired || *stopped.Revision.TaskDefinition != "web:0" {
			t.Errorf("the one that is over: %+v", stopped)
		}
	}
	journal.Load(t.Context(), func(key string, _ []byte) error {
		if strings.HasPrefix(key, "servicerevision/") || strings.HasPrefix(key, "servicedeployment/") {
			t.Errorf("%s is still kept", key)
		}
		return nil
	})
}
