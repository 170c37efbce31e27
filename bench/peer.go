package main

import (
	"context"
	"errors"
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

// findPeers makes the peers that this machine has ready, and notes which it has
// not.
func findPeers(ctx context.Context, in *installation, image string, r *report) (peers []peer, closeAll func(context.Context) error, err error) {
	closeAll = func(ctx context.Context) error {
		var errs []error
		for _, p := range peers {
			errs = append(errs, p.close(ctx))
		}
		return errors.Join(errs...)
	}
	bare, err := newBareContainerd(ctx, in, image)
	if err != nil {
		return nil, nil, err
	}
	peers = append(peers, bare)
	d, err := newDocker(ctx, image)
	if errors.Is(err, errNoDocker) {
		r.absent("docker run -d")
		return peers, closeAll, nil
	}
	if err != nil {
		return nil, nil, errors.Join(err, closeAll(context.WithoutCancel(ctx)))
	}
	peers = append(peers, d)
	return peers, closeAll, nil
}
