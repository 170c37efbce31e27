package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// docker is "docker run --detach" as a user types it: with the daemon's own
// bridge network and log file, and the start of the command itself.
type docker struct {
	image string // what docker load called it
}

var errNoDocker = errors.New("no docker daemon answers")

func newDocker(ctx context.Context, image string) (*docker, error) {
	if _, err := command(ctx, "docker", "info"); err != nil {
		return nil, errNoDocker
	}
	said, err := command(ctx, "docker", "load", "--quiet", "--input", image)
	if err != nil {
		return nil, err
	}
	_, name, found := strings.Cut(said, ": ") // "Loaded image: …", "Loaded image ID: …"
	if !found {
		return nil, fmt.Errorf("docker load said %q", said)
	}
	return &docker{image: name}, nil
}

func (d *docker) name() string { return "docker run -d" }

func (d *docker) start(ctx context.Context) (remove func(context.Context) error, err error) {
	id, err := command(ctx, "docker", "run", "--detach", d.image)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		_, err := command(ctx, "docker", "rm", "--force", id)
		return err
	}, nil
}

func (d *docker) close(ctx context.Context) error {
	_, err := command(ctx, "docker", "rmi", d.image)
	return err
}
