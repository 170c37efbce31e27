package main

import (
	"context"
	"fmt"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"fargo/aws/applicationautoscaling"
	"fargo/aws/cloudwatch"
)

// whyCommand says in plain words how a service is, and why.
type whyCommand struct {
	dataDir
	Cluster string `default:"default" help:"The service's cluster (${default})."`
	Region  string `default:"${region}" help:"The service's region (${default})."`
	Service string `arg:"" help:"The service."`
}

// Run prints what is known of the service.
func (c *whyCommand) Run(ctx context.Context, std *stdio) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	api, err := newClient(c.DataDir, c.Region)
	if err != nil {
		return err
	}
	facts, err := c.facts(ctx, api)
	if err != nil {
		return err
	}
	for _, line := range facts.explain(time.Now()) {
		if _, err := fmt.Fprintln(std.out, line); err != nil {
			return err
		}
	}
	return nil
}

// facts asks the APIs for all that an explanation may need.
func (c *whyCommand) facts(ctx context.Context, api *client) (*whyFacts, error) {
	found, err := api.describeServices(ctx, c.Cluster, []string{c.Service})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("there is no service %s in cluster %s", c.Service, c.Cluster)
	}
	f := &whyFacts{Service: found[0]}
	tasks, err := api.tasks(ctx, c.Cluster, f.Service.ServiceName)
	if err != nil {
		return nil, err
	}
	f.Tasks = tasks
	f.scalingFacts, err = api.scaling(ctx, f.Service.ServiceArn)
	return f, err
}

// scaling asks for what scales a service. Resources are named by the service and its
// cluster, whose names are in the service's ARN.
func (c *client) scaling(ctx context.Context, serviceARN string) (f scalingFacts, err error) {
	_, names, _ := strings.Cut(serviceARN, ":service/")
	resource := "service/" + names
	var targets struct{ ScalableTargets []scalableTarget }
	in := map[string]any{"ServiceNamespace": "ecs", "ResourceIds": []string{resource}}
	if err := c.call(ctx, &applicationautoscaling.API, "DescribeScalableTargets", in, &targets); err != nil {
		return f, err
	}
	if len(targets.ScalableTargets) == 0 {
		return f, nil
	}
	f.Target = &targets.ScalableTargets[0]
	of := map[string]any{"ServiceNamespace": "ecs", "ResourceId": resource}
	var policies struct{ ScalingPolicies []scalingPolicy }
	if err := c.call(ctx, &applicationautoscaling.API, "DescribeScalingPolicies", of, &policies); err != nil {
		return f, err
	}
	f.Policies = policies.ScalingPolicies
	of["IncludeNotScaledActivities"] = true
	var activities struct{ ScalingActivities []scalingActivity }
	if err := c.call(ctx, &applicationautoscaling.API, "DescribeScalingActivities", of, &activities); err != nil {
		return f, err
	}
	f.Activities = activities.ScalingActivities
	f.Alarms, err = c.alarms(ctx, f.Policies)
	return f, err
}

// alarms are those of policies.
func (c *client) alarms(ctx context.Context, policies []scalingPolicy) (all []scalingAlarm, err error) {
	var names []string
	for _, p := range policies {
		for _, a := range p.Alarms {
			names = append(names, a.AlarmName)
		}
	}
	for some := range slices.Chunk(names, 100) { // Source: CloudWatch API, DescribeAlarms, AlarmNames
		var alarms struct{ MetricAlarms []scalingAlarm }
		if err := c.call(ctx, &cloudwatch.API, "DescribeAlarms", map[string]any{"AlarmNames": some}, &alarms); err != nil {
			return nil, err
		}
		all = append(all, alarms.MetricAlarms...)
	}
	return all, nil
}
