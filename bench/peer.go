package main

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"
)

// A peer starts containers of the same image by other means.
type peer interface {
	name() string
	// start returns when the container runs, with what removes it. What it
	// made before an error is removed.
	start(ctx context.Context) (remove func(context.Context) error, err error)
	// close removes all that the peer was given.
	close(ctx context.Context) error
}

// openPeers makes the peers that this machine has ready, and notes which it has
// not. The peers that it returns are to be closed, also with an error.
func openPeers(ctx context.Context, in *installation, image string, r *report) (peers []peer, err error) {
	bare, err := newBareContainerd(ctx, in, image)
	if err != nil {
		return nil, err
	}
	peers = append(peers, bare)
	d, err := newDocker(ctx, image)
	if errors.Is(err, errNoDocker) {
		r.missing("docker run -d")
		return peers, nil
	}
	if err != nil {
		return peers, err
	}
	return append(peers, d), nil
}

// cleanupLimit is how long a removal may take whose measurement has no time left.
const cleanupLimit = time.Minute

// cleanup is a context for removals: it does not end with ctx.
func cleanup(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), cleanupLimit)
}

// timePeer is how long a peer takes to start count containers at once; they are
// removed again.
func timePeer(ctx context.Context, p peer, count int) (took time.Duration, err error) {
	removes := make([]func(context.Context) error, count)
	begun := time.Now()
	var starting errgroup.Group
	for i := range removes {
		starting.Go(func() (err error) {
			removes[i], err = p.start(ctx)
			return err
		})
	}
	err = starting.Wait()
	took = time.Since(begun)
	ctx, cancel := cleanup(ctx)
	defer cancel()
	var removing errgroup.Group
	for _, remove := range removes {
		if remove != nil {
			removing.Go(func() error { return remove(ctx) })
		}
	}
	return took, errors.Join(err, removing.Wait())
}
