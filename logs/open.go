package logs

import (
	"context"
	"errors"

	"github.com/cockroachdb/pebble/v2"
	"github.com/containerd/errdefs"

	"fargo/desired"
)

// OpenLog creates the stream that a container is going to write to, and its group if
// the target says so. It is no error when they exist. errdefs.IsNotFound holds for the
// error of a group that is missing.
func (s *Store) OpenLog(ctx context.Context, target desired.LogTarget) error {
	scope := targetScope(target)
	return s.engine.Update(ctx, func(b *pebble.Batch) (func(), error) {
		g, err := s.group(scope, target.Group)
		seen := func() {}
		switch {
		case err == nil:
		case !target.Create:
			return nil, errdefs.ErrNotFound.WithMessage(err.Error())
		default:
			if g, err = s.newGroup(b, scope, Group{Name: target.Group, Class: "STANDARD"}); err != nil {
				return nil, err
			}
			seen = func() { s.keep(g) }
		}
		switch _, err := s.stream(g, target.Stream); {
		case err == nil:
			return seen, nil
		case !errors.Is(err, ErrNoStream):
			return nil, err
		}
		return seen, putStream(b, g, s.newStream(b, target.Stream))
	})
}
