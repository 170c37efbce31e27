package sim

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"fargo"
	"fargo/aws/ecs"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// convergeWithin is how long the state may take to converge: the longest backoff
// between launches that fail, and then a deployment.
const convergeWithin = 3 * time.Hour

// converge ends all faults, has the user want only what can be had, and waits until
// everything is as the user wants it.
func (w *World) converge() error {
	w.trace.note("faults end")
	for len(w.scheduled) > 0 {
		if err := w.advance(max(0, time.Until(w.scheduled[0].at)) + time.Millisecond); err != nil {
			return err
		}
	}
	if err := w.advance(time.Minute); err != nil { // until all are connected again
		return err
	}
	if err := w.user.verify(w.plane.db.View(), w.invariants.isExpired); err != nil {
		return err
	}
	if err := w.repair(); err != nil {
		return err
	}
	var missing error
	for end := time.Now().Add(convergeWithin); time.Now().Before(end); {
		if err := w.advance(10 * time.Second); err != nil {
			return err
		}
		if missing = w.unconverged(); missing == nil {
			return errors.Join(w.leaks(), w.follower.compare(w.plane.db.View))
		}
	}
	return fmt.Errorf("not converged after %s: %w", convergeWithin, missing)
}

// repair updates services whose newest deployment has failed, or cannot work.
func (w *World) repair() error {
	for s := range store.Services.All(w.plane.db.View()) {
		if s.Status() != "ACTIVE" {
			continue
		}
		d := deploymentsOf(w.plane.db.View(), s)[0]
		family, _, _ := strings.Cut(strings.TrimPrefix((*d.Revision.TaskDefinition)[strings.LastIndex(*d.Revision.TaskDefinition, "/"):], "/"), ":")
		if d.Rollout != ecs.DeploymentRolloutStateFailed && works(strings.TrimSuffix(family, "-checked")) {
			continue
		}
		_, err := w.plane.ecs.UpdateService(call(w.ctx), &ecs.UpdateServiceInput{
			Cluster: new(clusterName), Service: new(s.Name()), TaskDefinition: new("plain"), ForceNewDeployment: new(true),
		})
		if err := w.trace.call(err, "repair %s", s.Name()); err != nil {
			return err
		}
	}
	return nil
}

// deploymentsOf are a service's that are not retired, the primary one first.
func deploymentsOf(r store.Reader, s *record.Service) []*record.Deployment {
	var out []*record.Deployment
	for d := range store.Deployments.By(r, store.ByService, s.Key()) {
		if !d.Retired {
			out = append(out, d)
		}
	}
	plan.SortDeployments(s, out)
	return out
}

// unconverged is what is not yet as the user wants it.
func (w *World) unconverged() error {
	view := w.plane.db.View()
	var errs []error
	for s := range store.Services.All(view) {
		switch s.Status() {
		case "INACTIVE":
			continue
		case "DRAINING":
			errs = append(errs, fmt.Errorf("service %s is still draining", s.Name()))
			continue
		}
		now := countTasks(view, s.Key(), time.Now())
		deployments := deploymentsOf(view, s)
		if s.SteadyAt.IsZero() || len(deployments) != 1 || len(now.healthy) != s.DesiredCount() || now.wanted != s.DesiredCount() {
			errs = append(errs, fmt.Errorf("service %s wants %d tasks, has %d, %d of them healthy, in %d deployments",
				s.Name(), s.DesiredCount(), now.wanted, len(now.healthy), len(deployments)))
		}
	}
	for t := range store.Tasks.All(view) {
		if t.Desired == fargo.TaskStopped && !t.Stopped() {
			errs = append(errs, fmt.Errorf("task %.8s of %s should stop and is %s", t.ID, t.Service, t.LastStatus()))
		}
	}
	for t := range store.ELBTargets.All(view) {
		if !t.DrainingSince.IsZero() {
			errs = append(errs, fmt.Errorf("the target %s still drains", t.Key()))
		}
	}
	return errors.Join(errs...)
}
