package main

import (
	"context"
	"fmt"
	"net/url"
	"time"
)

// rolloutTasks is the size of the service.
const rolloutTasks = 20

// The load balancer's times are the shortest that AWS takes: a check every five
// seconds, of which two must pass, and a second of draining.
var targetGroup = url.Values{
	"Name": {"api"}, "Protocol": {"HTTP"}, "Port": {"8080"}, "TargetType": {"ip"}, "HealthCheckPath": {"/health"},
	"HealthCheckIntervalSeconds": {"5"}, "HealthCheckTimeoutSeconds": {"2"}, "HealthyThresholdCount": {"2"},
}

// measureRollout begins a new deployment of a service behind a load balancer and
// waits until it is completed and only its tasks are there.
func measureRollout(ctx context.Context, f *fixture, r *report) error {
	balancer, targets, err := f.createBalancer(ctx)
	if err != nil {
		return err
	}
	const name = "rolling"
	if err := f.createService(ctx, name, rolloutTasks, map[string]any{
		"loadBalancers": []any{map[string]any{"targetGroupArn": targets, "containerName": "api", "containerPort": 8080}},
	}); err != nil {
		return err
	}
	if err := f.awaitServices(ctx, []string{name}, (*service).steady); err != nil {
		return err
	}
	begun := time.Now()
	if err := f.ecs(ctx, "UpdateService", map[string]any{"cluster": cluster, "service": name, "forceNewDeployment": true}, nil); err != nil {
		return err
	}
	if err := f.awaitServices(ctx, []string{name}, (*service).steady); err != nil {
		return err
	}
	took := time.Since(begun)
	r.budget(fmt.Sprintf("a rolling deployment of %d tasks behind a load balancer, until COMPLETED and the old ones gone", rolloutTasks),
		fmt.Sprintf("%.1f s, %.1f tasks/s", took.Seconds(), rolloutTasks/took.Seconds()))
	if err := f.deleteServices(ctx, []string{name}); err != nil {
		return err
	}
	return f.deleteBalancer(ctx, balancer, targets)
}

// deleteBalancer deletes what createBalancer has created.
func (f *fixture) deleteBalancer(ctx context.Context, balancer, targets string) error {
	for _, in := range []url.Values{
		{"Action": {"DeleteLoadBalancer"}, "LoadBalancerArn": {balancer}},
		{"Action": {"DeleteTargetGroup"}, "TargetGroupArn": {targets}},
	} {
		if err := f.elb(ctx, in, nil); err != nil {
			return err
		}
	}
	return nil
}

// createBalancer creates a load balancer with a listener on port 80.
func (f *fixture) createBalancer(ctx context.Context) (balancer, targets string, err error) {
	in := url.Values{"Action": {"CreateLoadBalancer"}, "Name": {"rolling"}, "SecurityGroups.member.1": {f.group}}
	for i, subnet := range f.subnets {
		in.Set(fmt.Sprintf("Subnets.member.%d", i+1), subnet)
	}
	var made struct {
		Balancer string `xml:"CreateLoadBalancerResult>LoadBalancers>member>LoadBalancerArn"`
		VPC      string `xml:"CreateLoadBalancerResult>LoadBalancers>member>VpcId"`
	}
	if err := f.elb(ctx, in, &made); err != nil {
		return "", "", err
	}
	in = url.Values{"Action": {"CreateTargetGroup"}, "VpcId": {made.VPC}}
	for name, value := range targetGroup {
		in[name] = value
	}
	var group struct {
		ARN string `xml:"CreateTargetGroupResult>TargetGroups>member>TargetGroupArn"`
	}
	if err := f.elb(ctx, in, &group); err != nil {
		return "", "", err
	}
	for _, in := range []url.Values{
		{
			"Action": {"ModifyTargetGroupAttributes"}, "TargetGroupArn": {group.ARN},
			"Attributes.member.1.Key": {"deregistration_delay.timeout_seconds"}, "Attributes.member.1.Value": {"1"},
		},
		{
			"Action": {"CreateListener"}, "LoadBalancerArn": {made.Balancer}, "Protocol": {"HTTP"}, "Port": {"80"},
			"DefaultActions.member.1.Type": {"forward"}, "DefaultActions.member.1.TargetGroupArn": {group.ARN},
		},
	} {
		if err := f.elb(ctx, in, nil); err != nil {
			return "", "", err
		}
	}
	return made.Balancer, group.ARN, nil
}

// elb calls an operation of Elastic Load Balancing.
func (f *fixture) elb(ctx context.Context, in url.Values, out any) error {
	in.Set("Version", "2015-12-01")
	return f.query(ctx, "elasticloadbalancing", in, out)
}
