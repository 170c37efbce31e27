// Package logs implements the operations of CloudWatch Logs: check, make one
// change in the engine, answer. It knows the API's names, limits and texts; it
// refuses to know how events are kept and found.
package logs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"fargo"
	"fargo/api"
	"fargo/api/arn"
	"fargo/aws/logs"
	engine "fargo/logs"
)

// Config is what a Server needs.
type Config struct {
	Store *engine.Store
	// Unlisted is the name of a log group that is Fargo's own. DescribeLogGroups shows it
	// only to who asks for that very name: who counts groups, or deletes all, means those
	// that users have made. To all other operations it is a group as others are.
	Unlisted string
	// KeyUsable returns nil if a key of KMS, by its ARN, can encrypt, and its policy lets a
	// service use it for a resource, whose ARN the encryption context has under a name.
	KeyUsable func(keyARN, service, contextName, resourceARN string) error
}

// Server answers the operations of CloudWatch Logs.
type Server struct {
	store     *engine.Store
	unlisted  string
	keyUsable func(keyARN, service, contextName, resourceARN string) error
	tails     atomic.Int32 // open StartLiveTail sessions
}

// New makes a server.
func New(c Config) *Server {
	return &Server{store: c.Store, unlisted: c.Unlisted, keyUsable: c.KeyUsable}
}

// refused translates the engine's errors into those of CloudWatch Logs.
func refused(err error) error {
	switch {
	case errors.Is(err, engine.ErrNoGroup):
		return logs.ResourceNotFoundException("The specified log group does not exist.")
	case errors.Is(err, engine.ErrNoStream):
		return logs.ResourceNotFoundException("The specified log stream does not exist.")
	case errors.Is(err, engine.ErrGroupExists):
		return logs.ResourceAlreadyExistsException("The specified log group already exists")
	case errors.Is(err, engine.ErrStreamExists):
		return logs.ResourceAlreadyExistsException("The specified log stream already exists")
	case errors.Is(err, engine.ErrToken):
		return logs.InvalidParameterException("The specified nextToken is invalid.")
	}
	return err
}

// groupPrefix begins the resource of a log group's ARN.
const groupPrefix = "log-group:"

func groupARN(scope fargo.Scope, name string) string {
	return scope.ARN("logs", groupPrefix+name)
}

func streamARN(scope fargo.Scope, group, stream string) string {
	return groupARN(scope, group) + ":log-stream:" + stream
}

// groupARNs are what calls name log groups by, if not by their names.
var groupARNs = arn.Kind{
	Service: "logs", Prefix: groupPrefix,
	NotOne: func(given string) error {
		return logs.InvalidParameterException("Invalid log group ARN: %s", given)
	},
	Elsewhere: func(fargo.ARN, fargo.Scope) error { return refused(engine.ErrNoGroup) },
}

// groupOfARN gives the name of the group that an ARN means. The ":*" that
// DescribeLogGroups also shows is refused before, as CloudWatch Logs does: a
// star does not fit an identifier's pattern. Groups of other accounts and
// regions are not to be had.
func groupOfARN(scope fargo.Scope, id string) (string, error) {
	_, name, err := groupARNs.Parse(scope, id)
	if err == nil && strings.Contains(name, ":") { // it is of a stream
		err = groupARNs.NotOne(id)
	}
	return name, err
}

// groupOf gives the name of the group that a name or an ARN means.
func groupOf(scope fargo.Scope, id string) (string, error) {
	if arn.Is(id) {
		return groupOfARN(scope, id)
	}
	return id, nil
}

// groupOfEither is groupOf for operations that take either of two parameters.
func groupOfEither(scope fargo.Scope, name, identifier *string) (string, error) {
	switch {
	case name != nil && identifier != nil:
		return "", logs.ValidationException("LogGroup name and LogGroup ARN are mutually exclusive parameters.") // recorded
	case name != nil:
		return *name, nil
	case identifier != nil:
		return groupOf(scope, *identifier)
	}
	return "", logs.InvalidParameterException("Either LogGroup name or LogGroup identifier must be specified.")
}

func scopeOf(ctx context.Context) fargo.Scope { return api.CallFrom(ctx).Scope() }

// listed writes a list as the API does: "[1, 3, 5]".
func listed[T any](list []T) string { return strings.ReplaceAll(fmt.Sprint(list), " ", ", ") }
