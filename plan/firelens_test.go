package plan_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fargo/aws/ecs"
	"fargo/plan"
)

// firelensDefinition is a definition with a log router of a type, a container that routes
// to an output with a secret, one that brings its own configuration's output, and one that
// does not route.
func firelensDefinition(kind ecs.FirelensConfigurationType, plugin string) *ecs.TaskDefinition {
	return &ecs.TaskDefinition{Family: new("web"), Revision: new(int32(3)), ContainerDefinitions: []ecs.ContainerDefinition{
		{Name: new("app"), LogConfiguration: &ecs.LogConfiguration{
			LogDriver: ecs.LogDriverAwsfirelens,
			Options: map[string]string{
				plugin: "newrelic", "endpoint": "https://log-api.newrelic.com", "include-pattern": "^.*ERROR", "exclude-pattern": "ping",
				"log-driver-buffer-limit": "2097152",
			},
			SecretOptions: []ecs.Secret{{Name: new("api-key"), ValueFrom: new("arn:aws:ssm:us-east-1:123456789012:parameter/key")}},
		}},
		{Name: new("own"), LogConfiguration: &ecs.LogConfiguration{LogDriver: ecs.LogDriverAwsfirelens}},
		{Name: new("plain")},
		{Name: new("router"), Memory: new(int32(128)), FirelensConfiguration: &ecs.FirelensConfiguration{
			Type: kind, Options: map[string]string{"config-file-type": "file", "config-file-value": "/extra.conf"},
		}},
	}}
}

// TestFirelensConfig compares the configurations of both kinds of log routers with
// testdata/firelens.
func TestFirelensConfig(t *testing.T) {
	for kind, plugin := range map[ecs.FirelensConfigurationType]string{
		ecs.FirelensConfigurationTypeFluentbit: "Name", ecs.FirelensConfigurationTypeFluentd: "@type",
	} {
		want, err := os.ReadFile(filepath.Join("testdata", "firelens", string(kind)+".conf"))
		if err != nil {
			t.Fatal(err)
		}
		got := plan.FirelensConfig(firelensDefinition(kind, plugin), "production", "arn:aws:ecs:us-east-1:123456789012:task/production/0123")
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", kind, diff)
		}
	}
}

// What is not asked for is not there: metadata, a file of the user's, a limit of the
// router's memory.
func TestFirelensConfigWithout(t *testing.T) {
	d := firelensDefinition(ecs.FirelensConfigurationTypeFluentbit, "Name")
	router := plan.FirelensRouter(d)
	router.Memory, router.FirelensConfiguration.Options = nil, map[string]string{"enable-ecs-log-metadata": "false"}
	got := plan.FirelensConfig(d, "production", "arn")
	if strings.Contains(got, "ecs_cluster") || strings.Contains(got, "@INCLUDE") || !strings.Contains(got, "Mem_Buf_Limit 25MB\n") {
		t.Errorf("got:\n%s", got)
	}
	if plan.FirelensRouter(&ecs.TaskDefinition{ContainerDefinitions: d.ContainerDefinitions[:3]}) != nil {
		t.Error("a task without a log router has one")
	}
}
