package logs

import (
	"context"
	"errors"

	"github.com/cockroachdb/pebble/v2"
	"github.com/containerd/errdefs"

	"fargo/desired"
)

// errGroupMissing is what ECS shows as the stopped reason of a task whose log group
// is missing.
var errGroupMissing = errdefs.ErrNotFound.WithMessage("ResourceInitializationError: failed to validate logger args: " +
	"The task cannot find the Amazon CloudWatch log group defined in the task definition. " +
	"There is a connection issue between the task and Amazon CloudWatch. Check your network configuration. : " +
	"create stream has been retried 1 times: failed to create Cloudwatch log stream: " +
	"ResourceNotFoundException: The specified log group does not exist. : exit status 1")

// OpenLog creates the stream that a container is going to write to, and its group if
// the target says so. It is no error when they exist. When the group is missing, the
// error has ECS's text.
func (s *Store) OpenLog(ctx context.Context, target desired.LogTarget) error {
	scope := targetScope(target)
	return s.update(ctx, func(b *pebble.Batch) (func(), error) {
		g, err := s.group(scope, target.Group)
		seen := func() {}
		switch {
		case err == nil:
		case !target.Create:
			return nil, errGroupMissing
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
