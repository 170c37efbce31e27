package main

import (
	"context"
	"fmt"
	"net/url"
	"time"
)

// rolloutTasks is the size of the service that is deployed anew.
const rolloutTasks = 20

// The load balancer's times are the shortest that AWS takes: a check every five
// seconds, of which two must pass, and a second of draining.
var targetGroup = url.Values{
	"Name": {"api"}, "Protocol": {"HTTP"}, "Port": {"8080"}, "TargetType": {"ip"}, "HealthCheckPath": {"/health"},
	"HealthCheckIntervalSeconds": {"5"}, "HealthCheckTimeoutSeconds": {"2"}, "HealthyThresholdCount": {"2"},
}

// measureRollout deploys a service behind a load balancer anew and waits until
// only new tasks are there.
func measureRollout(ctx context.Context, s *stage, r *report) error {
	balancer, targets, err := s.makeBalancer(ctx)
	if err != nil {
		return err
	}
	const name = "rolling"
	if err := s.createService(ctx, name, rolloutTasks, map[string]any{
		"loadBalancers": []any{map[string]any{"targetGroupArn": targets, "containerName": "api", "containerPort": 8080}},
	}); err != nil {
		return err
	}
	if err := s.awaitServices(ctx, []string{name}, (*service).steady); err != nil {
		return err
	}
	begun := time.Now()
	if err := s.ecs(ctx, "UpdateService", map[string]any{"cluster": cluster, "service": name, "forceNewDeployment": true}, nil); err != nil {
		return err
	}
	if err := s.awaitServices(ctx, []string{name}, (*service).steady); err != nil {
		return err
	}
	took := time.Since(begun)
	r.figure(fmt.Sprintf("a rolling deployment of %d tasks behind a load balancer, until COMPLETED and the old ones gone", rolloutTasks),
		fmt.Sprintf("%.1f s, %.1f tasks/s", took.Seconds(), rolloutTasks/took.Seconds()))
	if err := s.deleteServices(ctx, []string{name}); err != nil {
		return err
	}
	return s.dropBalancer(ctx, balancer, targets)
}

// dropBalancer undoes makeBalancer.
func (s *stage) dropBalancer(ctx context.Context, balancer, targets string) error {
	for _, in := range []url.Values{
		{"Action": {"DeleteLoadBalancer"}, "LoadBalancerArn": {balancer}},
		{"Action": {"DeleteTargetGroup"}, "TargetGroupArn": {targets}},
	} {
		if err := s.elb(ctx, in, nil); err != nil {
			return err
		}
	}
	return nil
}

// makeBalancer makes a load balancer with a listener on port 80.
func (s *stage) makeBalancer(ctx context.Context) (balancer, targets string, err error) {
	in := url.Values{"Action": {"CreateLoadBalancer"}, "Name": {"rolling"}, "SecurityGroups.member.1": {s.group}}
	for i, subnet := range s.subnets {
		in.Set(fmt.Sprintf("Subnets.member.%d", i+1), subnet)
	}
	var made struct {
		Balancer string `xml:"CreateLoadBalancerResult>LoadBalancers>member>LoadBalancerArn"`
		VPC      string `xml:"CreateLoadBalancerResult>LoadBalancers>member>VpcId"`
	}
	if err := s.elb(ctx, in, &made); err != nil {
		return "", "", err
	}
	in = url.Values{"Action": {"CreateTargetGroup"}, "VpcId": {made.VPC}}
	for name, value := range targetGroup {
		in[name] = value
	}
	var group struct {
		ARN string `xml:"CreateTargetGroupResult>TargetGroups>member>TargetGroupArn"`
	}
	if err := s.elb(ctx, in, &group); err != nil {
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
		if err := s.elb(ctx, in, nil); err != nil {
			return "", "", err
		}
	}
	return made.Balancer, group.ARN, nil
}

// elb calls an operation of Elastic Load Balancing.
func (s *stage) elb(ctx context.Context, in url.Values, out any) error {
	in.Set("Version", "2015-12-01")
	return s.query(ctx, "elasticloadbalancing", in, out)
}
