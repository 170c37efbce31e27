package node

import (
	"os"
	"path/filepath"

	"fargo/desired"
	"fargo/host"
)

// runDir is where a log router has its socket. Source: amazon-ecs-agent,
// docker_task_engine.go.
const runDir = "/var/run/"

// router is the directory of a task's log router: its configuration, and the directory in
// which it listens.
func (d disk) router(taskID string) string { return filepath.Join(d.task(taskID), "router") }

func (d disk) routerConfig(taskID string) string { return filepath.Join(d.router(taskID), "conf") }

func (d disk) routerRun(taskID string) string { return filepath.Join(d.router(taskID), "run") }

// makeRouterFiles makes what the log router of a task is given, if it has one. Whatever
// user it runs as may listen.
func (d disk) makeRouterFiles(a *desired.Assignment) error {
	for _, c := range a.Containers {
		if c.Router == nil {
			continue
		}
		run := d.routerRun(a.ID)
		if err := os.MkdirAll(run, 0o755); err != nil {
			return err
		}
		if err := os.Chmod(run, 0o777); err != nil {
			return err
		}
		return replace(d.routerConfig(a.ID), []byte(c.Router.Config), 0o644)
	}
	return nil
}

// routerMounts are those of container i, when it is the log router.
func (d disk) routerMounts(a *desired.Assignment, i int) []host.Mount {
	r := a.Containers[i].Router
	if r == nil {
		return nil
	}
	return []host.Mount{
		{Source: d.routerConfig(a.ID), Target: r.ConfigPath},
		{Source: d.routerRun(a.ID), Target: runDir},
	}
}

// outputsOf are the ids of a container's files of output. Those for a log router are two,
// since records say which stream they are of.
func outputsOf(c *desired.ContainerAssignment) []string {
	switch {
	case c.Route != nil:
		return []string{c.RuntimeID, errorOutput(c.RuntimeID)}
	case c.Log != nil:
		return []string{c.RuntimeID}
	}
	return nil
}

// errorOutput is the file of what a container writes to stderr, where that is apart.
func errorOutput(id string) string { return id + "-stderr" }

// beginOutput makes the files of a container's output.
func (n *Node) beginOutput(a *desired.Assignment, c *desired.ContainerAssignment) error {
	if c.Log != nil {
		return n.output.begin(c.RuntimeID, *c.Log)
	}
	for i, id := range outputsOf(c) {
		err := n.output.beginAt(id, cursor{Route: &route{
			Socket: filepath.Join(n.disk.routerRun(a.ID), "fluent.sock"), Tag: c.Route.Tag,
			ContainerID: c.RuntimeID, ContainerName: c.Name, Source: []string{"stdout", "stderr"}[i],
		}})
		if err != nil {
			return err
		}
	}
	return nil
}
