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
func measureService(ctx context.Context, s *stage, r *report) error {
	before, err := s.in.accounts()
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := s.createService(ctx, "many", serviceTasks, nil); err != nil {
		return err
	}
	if err := s.awaitServices(ctx, []string{"many"}, func(d *service) bool { return d.RunningCount == serviceTasks }); err != nil {
		return err
	}
	took := time.Since(begun)
	after, err := s.in.accounts()
	if err != nil {
		return err
	}
	rate := serviceTasks / took.Seconds()
	r.budget(fmt.Sprintf("a service of 0 → %d tasks", serviceTasks), "≥ 20 tasks/s",
		fmt.Sprintf("%.1f tasks/s (%.2f s)", rate, took.Seconds()), rate >= 20)
	r.figure("processor time of each of them, everything included", shareOut(before, after, serviceTasks))
	return s.deleteServices(ctx, []string{"many"})
}

// service is what the measurements look at of a service.
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

// createService creates a service of the stage's tasks, with members of its own
// in the request.
func (s *stage) createService(ctx context.Context, name string, count int, more map[string]any) error {
	in := map[string]any{
		"cluster": cluster, "serviceName": name, "taskDefinition": "api", "launchType": "FARGATE", "desiredCount": count,
		"networkConfiguration": map[string]any{"awsvpcConfiguration": map[string]any{
			"subnets": s.subnets, "securityGroups": []string{s.group}, "assignPublicIp": "DISABLED",
		}},
	}
	for member, value := range more {
		in[member] = value
	}
	return s.ecs(ctx, "CreateService", in, nil)
}

// describeServices shows services, by ten as the API takes them.
func (s *stage) describeServices(ctx context.Context, names []string) (all []service, err error) {
	for len(names) > 0 {
		some := names[:min(10, len(names))]
		names = names[len(some):]
		var answer struct {
			Services []service
			Failures []struct{ ARN, Reason string }
		}
		if err := s.ecs(ctx, "DescribeServices", map[string]any{"cluster": cluster, "services": some}, &answer); err != nil {
			return nil, err
		}
		if len(answer.Failures) > 0 {
			return nil, fmt.Errorf("services %s: %+v", strings.Join(some, " "), answer.Failures)
		}
		all = append(all, answer.Services...)
	}
	return all, nil
}

// awaitServices looks at services until all are as they should be.
func (s *stage) awaitServices(ctx context.Context, names []string, is func(*service) bool) error {
	return poll(ctx, 10*look, func() (bool, error) {
		all, err := s.describeServices(ctx, names)
		if err != nil {
			return false, err
		}
		for i := range all {
			if !is(&all[i]) {
				return false, nil
			}
		}
		return true, nil
	})
}

// deleteServices deletes services and waits until none of their tasks is left.
func (s *stage) deleteServices(ctx context.Context, names []string) error {
	for _, name := range names {
		in := map[string]any{"cluster": cluster, "service": name, "force": true}
		if err := s.ecs(ctx, "DeleteService", in, nil); err != nil {
			return err
		}
	}
	return s.awaitServices(ctx, names, func(d *service) bool { return d.Status == "INACTIVE" })
}
