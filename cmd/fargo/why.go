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
	"fargo/aws/ecs"
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
	var found struct{ Services []whyService }
	if err := api.call(ctx, &ecs.API, "DescribeServices", map[string]any{"cluster": c.Cluster, "services": []string{c.Service}}, &found); err != nil {
		return nil, err
	}
	if len(found.Services) == 0 {
		return nil, fmt.Errorf("there is no service %s in cluster %s", c.Service, c.Cluster)
	}
	f := &whyFacts{Service: found.Services[0]}
	tasks, err := api.tasks(ctx, c.Cluster, f.Service.ServiceName)
	if err != nil {
		return nil, err
	}
	f.Tasks = tasks
	return f, c.scaling(ctx, api, f)
}

// scaling asks for what scales the service. resources are named by their cluster, whose
// name is in the service's ARN.
func (c *whyCommand) scaling(ctx context.Context, api *client, f *whyFacts) error {
	_, names, _ := strings.Cut(f.Service.ServiceArn, ":service/")
	of := map[string]any{"ServiceNamespace": "ecs", "ResourceId": "service/" + names}
	var targets struct{ ScalableTargets []whyTarget }
	in := map[string]any{"ServiceNamespace": "ecs", "ResourceIds": []string{"service/" + names}}
	if err := api.call(ctx, &applicationautoscaling.API, "DescribeScalableTargets", in, &targets); err != nil {
		return err
	}
	if len(targets.ScalableTargets) == 0 {
		return nil
	}
	f.Target = &targets.ScalableTargets[0]
	var policies struct{ ScalingPolicies []whyPolicy }
	if err := api.call(ctx, &applicationautoscaling.API, "DescribeScalingPolicies", of, &policies); err != nil {
		return err
	}
	f.Policies = policies.ScalingPolicies
	var activities struct{ ScalingActivities []whyActivity }
	of["IncludeNotScaledActivities"] = true
	if err := api.call(ctx, &applicationautoscaling.API, "DescribeScalingActivities", of, &activities); err != nil {
		return err
	}
	f.Activities = activities.ScalingActivities
	var alarmNames []string
	for _, p := range f.Policies {
		for _, a := range p.Alarms {
			alarmNames = append(alarmNames, a.AlarmName)
		}
	}
	for some := range slices.Chunk(alarmNames, 100) { // Source: CloudWatch API, DescribeAlarms, AlarmNames
		var alarms struct{ MetricAlarms []whyAlarm }
		if err := api.call(ctx, &cloudwatch.API, "DescribeAlarms", map[string]any{"AlarmNames": some}, &alarms); err != nil {
			return err
		}
		f.Alarms = append(f.Alarms, alarms.MetricAlarms...)
	}
	return nil
}
