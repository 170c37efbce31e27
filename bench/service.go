package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// serviceTasks is how far a service grows.
const serviceTasks = 100

// measureService creates a service and waits until all its tasks run.
func measureService(ctx context.Context, f *fixture, r *report) error {
	before, err := f.in.cpuTimes()
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := f.createService(ctx, "many", serviceTasks, nil); err != nil {
		return err
	}
	if err := f.awaitServices(ctx, []string{"many"}, func(d *service) bool { return d.RunningCount == serviceTasks }); err != nil {
		return err
	}
	took := time.Since(begun)
	after, err := f.in.cpuTimes()
	if err != nil {
		return err
	}
	rate := serviceTasks / took.Seconds()
	r.budget(fmt.Sprintf("a service of 0 → %d tasks", serviceTasks),
		fmt.Sprintf("%.1f tasks/s (%.2f s)", rate, took.Seconds()), check{serviceRate, rate})
	r.budget("processor time of each of them, everything included", perItem(before, after, serviceTasks))
	return f.deleteServices(ctx, []string{"many"})
}

// service is what the measurements need of DescribeServices.
type service struct {
	Name         string `json:"serviceName"`
	Status       string
	RunningCount int
	DesiredCount int
	Deployments  []struct{ RolloutState string }
}

// steady reports whether the service is as it was last told to be.
func (d *service) steady() bool {
	return d.RunningCount == d.DesiredCount && len(d.Deployments) == 1 && d.Deployments[0].RolloutState == "COMPLETED"
}

// createService creates a service of the fixture's tasks; more are members of
// the request beside the usual ones.
func (f *fixture) createService(ctx context.Context, name string, count int, more map[string]any) error {
	in := map[string]any{
		"cluster": cluster, "serviceName": name, "taskDefinition": "api", "launchType": "FARGATE", "desiredCount": count,
		"networkConfiguration": map[string]any{"awsvpcConfiguration": map[string]any{
			"subnets": f.subnets, "securityGroups": []string{f.group}, "assignPublicIp": "DISABLED",
		}},
	}
	for member, value := range more {
		in[member] = value
	}
	return f.ecs(ctx, "CreateService", in, nil)
}

// describeServices shows services, by ten as the API takes them.
func (f *fixture) describeServices(ctx context.Context, names []string) (all []service, err error) {
	for len(names) > 0 {
		some := names[:min(10, len(names))]
		names = names[len(some):]
		var answer struct {
			Services []service
			Failures []struct{ ARN, Reason string }
		}
		if err := f.ecs(ctx, "DescribeServices", map[string]any{"cluster": cluster, "services": some}, &answer); err != nil {
			return nil, err
		}
		if len(answer.Failures) > 0 {
			return nil, fmt.Errorf("services %s: %+v", strings.Join(some, " "), answer.Failures)
		}
		all = append(all, answer.Services...)
	}
	return all, nil
}

// awaitServices polls services until the condition holds for all.
func (f *fixture) awaitServices(ctx context.Context, names []string, condition func(*service) bool) error {
	return poll(ctx, 10*pollInterval, func() (bool, error) {
		all, err := f.describeServices(ctx, names)
		if err != nil {
			return false, err
		}
		for i := range all {
			if !condition(&all[i]) {
				return false, nil
			}
		}
		return true, nil
	})
}

// deleteServices deletes services and waits until none of their tasks is left.
func (f *fixture) deleteServices(ctx context.Context, names []string) error {
	for _, name := range names {
		in := map[string]any{"cluster": cluster, "service": name, "force": true}
		if err := f.ecs(ctx, "DeleteService", in, nil); err != nil {
			return err
		}
	}
	return f.awaitServices(ctx, names, func(d *service) bool { return d.Status == "INACTIVE" })
}
