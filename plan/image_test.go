package plan

import (
	"maps"
	"testing"

	"fargo"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/record"
)

// ECS developer guide, "Container image resolution": a name is resolved once for a
// deployment, unless it has its digest or the user wants each task to resolve it.
func TestImagesToResolve(t *testing.T) {
	d := &ecs.TaskDefinition{ContainerDefinitions: []ecs.ContainerDefinition{
		{Name: new("ours"), Image: new("ours:latest")},
		{Name: new("elsewhere"), Image: new("nginx:latest")},
		{Name: new("pinned"), Image: new("nginx@sha256:0")},
		{Name: new("each"), Image: new("ours:latest"), VersionConsistency: ecs.VersionConsistencyDisabled},
		{Name: new("once"), Image: new("ours:latest"), VersionConsistency: ecs.VersionConsistencyEnabled},
	}}
	known := func(image string) string { return map[string]string{"ours:latest": "sha256:1"}[image] }
	want := map[string]string{"ours": "sha256:1", "elsewhere": "", "once": "sha256:1"}
	if got := ImagesToResolve(d, known); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A deployment learns from its first task what a name of another registry means,
// and holds to it when the tag moves on.
func TestFirstTaskResolves(t *testing.T) {
	r := newServiceSim(1, 100, 200, false)
	d := r.deploy("v1")
	d.Revision.ContainerImages = []ecs.ContainerImage{{ContainerName: new("app"), Image: new("nginx")}, {ContainerName: new("pinned"), Image: new("nginx@sha256:0")}}
	r.settle(t)
	report := func(task *record.Task, digest string) {
		r.edit(task, func(c *record.Task) {
			c.Report = &desired.TaskReport{Status: fargo.TaskRunning, StartedAt: r.now, Containers: []desired.ContainerReport{
				{Name: "app", ImageDigest: digest}, {Name: "pinned", ImageDigest: "sha256:0"},
			}}
		})
		r.settle(t)
	}
	report(r.tasks[0], "sha256:first")
	r.copyService()
	r.service.Service.DesiredCount = new(int32(2))
	r.settle(t)
	report(r.tasks[1], "sha256:second")
	d = r.find(d.ID)
	if got := KnownDigests(d.Digests); !maps.Equal(got, map[string]string{"app": "sha256:first"}) {
		t.Errorf("the deployment runs %v", got)
	}
	images := Revision(d).ContainerImages
	if *images[0].ImageDigest != "sha256:first" || *images[1].ImageDigest != "sha256:0" || d.Revision.ContainerImages[0].ImageDigest != nil {
		t.Errorf("its revision shows %+v", images)
	}
}
