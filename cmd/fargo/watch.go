package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

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
	screen := screen{w: std.out, terminal: isTerminal(std.out)}
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

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// screen shows one picture after another.
type screen struct {
	w        io.Writer
	terminal bool
	last     string
}

func (s *screen) show(picture string) error {
	if picture == s.last {
		return nil
	}
	out := picture
	if s.terminal {
		if n := strings.Count(s.last, "\n"); n > 0 {
			// Up to where the last picture began, and clear what is below.
			out = fmt.Sprintf("\x1b[%dF\x1b[J%s", n, picture)
		}
	}
	s.last = picture
	_, err := io.WriteString(s.w, out)
	return err
}

// picture calls the APIs for all that is drawn.
func (c *watchCommand) picture(ctx context.Context, api *client) (string, error) {
	names := []string{c.Service}
	if c.Service == "" {
		var listed struct{ ServiceArns []string }
		if err := api.call(ctx, &ecs.API, "ListServices", map[string]any{"cluster": c.Cluster}, &listed); err != nil {
			return "", err
		}
		names = listed.ServiceArns
	}
	if len(names) == 0 {
		return "no services in cluster " + c.Cluster + "\n", nil
	}
	var found struct {
		Services []watchedService
		Failures []struct{ Arn, Reason string }
	}
	if err := api.call(ctx, &ecs.API, "DescribeServices", map[string]any{"cluster": c.Cluster, "services": names}, &found); err != nil {
		return "", err
	}
	if len(found.Services) == 0 {
		return "", errors.New("service not found: " + strings.Join(names, ", "))
	}
	var b strings.Builder
	for i := range found.Services {
		tasks, err := api.tasks(ctx, c.Cluster, found.Services[i].ServiceName)
		if err != nil {
			return "", err
		}
		scaling, err := api.scaling(ctx, found.Services[i].ServiceArn)
		if err != nil {
			return "", err
		}
		found.Services[i].draw(&b, tasks, &scaling)
	}
	return b.String(), nil
}
