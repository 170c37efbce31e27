package main

import (
	"context"
	"errors"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"fargo/aws/ecs"
)

// watchCommand draws a service's deployments as they go.
type watchCommand struct {
	dataDir
	Cluster string `default:"default" help:"The service's cluster (${default})."`
	Region  string `default:"${region}" help:"The service's region (${default})."`
	Service string `arg:"" optional:"" help:"The service; without, all of the cluster's."`
}

// watchInterval is how often the picture is drawn.
const watchInterval = 500 * time.Millisecond

// Run draws until it is interrupted: over and over in place on a terminal, and
// on anything else a new picture whenever it differs.
func (c *watchCommand) Run(ctx context.Context, std *stdio) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	api, err := newClient(c.DataDir, c.Region)
	if err != nil {
		return err
	}
	screen := newScreen(std.out)
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for {
		picture, err := c.picture(ctx, api)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		if err := screen.show(picture); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// picture calls the APIs for all that is drawn.
func (c *watchCommand) picture(ctx context.Context, api *client) (string, error) {
	services, err := c.services(ctx, api)
	if err != nil {
		return "", err
	}
	if len(services) == 0 {
		return "no services in cluster " + c.Cluster + "\n", nil
	}
	var b strings.Builder
	for i := range services {
		tasks, err := api.tasks(ctx, c.Cluster, services[i].ServiceName)
		if err != nil {
			return "", err
		}
		scaling, err := api.scaling(ctx, services[i].ServiceArn)
		if err != nil {
			return "", err
		}
		services[i].draw(&b, tasks, &scaling)
	}
	return b.String(), nil
}

// services are the one that is named, or all of the cluster if none is.
func (c *watchCommand) services(ctx context.Context, api *client) ([]watchedService, error) {
	if c.Service == "" {
		return api.services(ctx, c.Cluster)
	}
	found, err := api.describeServices(ctx, c.Cluster, []string{c.Service})
	if err == nil && len(found) == 0 {
		return nil, errors.New("service not found: " + c.Service)
	}
	return found, err
}

// services are all of a cluster.
func (c *client) services(ctx context.Context, cluster string) (all []watchedService, err error) {
	in := map[string]any{"cluster": cluster}
	for {
		var listed struct {
			ServiceArns []string // no more than DescribeServices takes
			NextToken   string
		}
		if err := c.call(ctx, &ecs.API, "ListServices", in, &listed); err != nil {
			return nil, err
		}
		if len(listed.ServiceArns) > 0 {
			some, err := c.describeServices(ctx, cluster, listed.ServiceArns)
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
		if listed.NextToken == "" {
			return all, nil
		}
		in["nextToken"] = listed.NextToken
	}
}

func (c *client) describeServices(ctx context.Context, cluster string, names []string) ([]watchedService, error) {
	var found struct{ Services []watchedService }
	err := c.call(ctx, &ecs.API, "DescribeServices", map[string]any{"cluster": cluster, "services": names}, &found)
	return found.Services, err
}
