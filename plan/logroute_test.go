package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/plan"
)

// What a task with a log router is given: the router its configuration and the secrets of
// its outputs, the others where to send, after it has started.
func TestLogsAreRouted(t *testing.T) {
	task, d := taskOf(true, firelensDefinition(ecs.FirelensConfigurationTypeFluentbit, "Name").ContainerDefinitions...)
	for i := range d.Definition.ContainerDefinitions {
		d.Definition.ContainerDefinitions[i].Image = new("i")
	}
	a := assigned(task, d)
	app, own, plain, router := a.Containers[0], a.Containers[1], a.Containers[2], a.Containers[3]
	id := strings.Repeat("a", 32)
	if diff := cmp.Diff(&desired.LogRoute{Tag: "app-firelens-" + id}, app.Route); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&desired.LogBuffer{Limit: 2097152, Blocking: true}, app.LogBuffer); diff != "" {
		t.Error(diff)
	}
	if want := []string{"FLUENT_HOST=127.0.0.1", "FLUENT_PORT=24224"}; !slices.Equal(app.Environment, want) || !slices.Equal(own.Environment, want) {
		t.Errorf("%q, %q", app.Environment, own.Environment)
	}
	after := []desired.Dependency{{Container: "router", Condition: "START"}}
	if !slices.Equal(app.DependsOn, after) || !slices.Equal(own.DependsOn, after) || plain.DependsOn != nil || plain.Route != nil || plain.Environment != nil {
		t.Errorf("app %v, own %v, plain %+v", app.DependsOn, own.DependsOn, plain)
	}
	if router.Router == nil || router.Router.ConfigPath != "/fluent-bit/etc/fluent-bit.conf" || !strings.Contains(router.Router.Config, "Record ecs_cluster default\n") {
		t.Errorf("%+v", router.Router)
	}
	want := []desired.SecretVariable{{Name: "api-key_0", ValueID: desired.TaskSecretOf(a.TaskARN, 0)}}
	if diff := cmp.Diff(want, router.Secrets); diff != "" || app.Secrets != nil {
		t.Errorf("%s, app %v", diff, app.Secrets)
	}
	secrets := []plan.TaskSecret{{From: "arn:aws:ssm:us-east-1:123456789012:parameter/key"}}
	if diff := cmp.Diff(secrets, plan.TaskSecrets(&d.Definition, nil)); diff != "" {
		t.Error(diff)
	}
}

// A log router that waits for others is waited for by nobody, and a dependency of the
// user's own stays the only one.
func TestDependenciesOnLogRouters(t *testing.T) {
	d := firelensDefinition(ecs.FirelensConfigurationTypeFluentd, "@type")
	for i := range d.ContainerDefinitions {
		d.ContainerDefinitions[i].Image = new("i")
	}
	mine := ecs.ContainerDependency{ContainerName: new("router"), Condition: ecs.ContainerConditionHealthy}
	d.ContainerDefinitions[0].DependsOn = []ecs.ContainerDependency{mine}
	task, record := taskOf(false, d.ContainerDefinitions...)
	if got := assigned(task, record).Containers[0].DependsOn; len(got) != 1 || got[0].Condition != "HEALTHY" {
		t.Errorf("%v", got)
	}
	d.ContainerDefinitions[0].DependsOn = nil
	d.ContainerDefinitions[3].DependsOn = []ecs.ContainerDependency{{ContainerName: new("plain"), Condition: ecs.ContainerConditionStart}}
	task, record = taskOf(false, d.ContainerDefinitions...)
	if got := assigned(task, record).Containers[0].DependsOn; got != nil {
		t.Errorf("%v", got)
	}
}
