// Package secretsmanager implements the operations of AWS Secrets Manager: secrets, their
// versions and values, and when they are rotated. It knows who may have a value and
// which; it refuses to know how functions are called that rotate secrets.
package secretsmanager

import (
	"context"
	"regexp"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/protocol"
	"fargo/aws/secretsmanager"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// Config is what New needs.
type Config struct {
	DB *store.DB
	// Callable reports whether there is a function with an ARN that can be called to
	// rotate secrets. nil: there are none.
	Callable func(functionARN string) bool
}

// Server answers the operations of Secrets Manager, from and into the store.
type Server struct {
	db       *store.DB
	callable func(string) bool
}

// New makes a server.
func New(c Config) *Server {
	s := &Server{db: c.DB, callable: c.Callable}
	if s.callable == nil {
		s.callable = func(string) bool { return false }
	}
	return s
}

// now is a time as Secrets Manager has it: milliseconds, UTC.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// invalid and unfit are Secrets Manager's answers to a parameter that it cannot take, and
// to a request that does not fit the secret.
func invalid(format string, args ...any) error {
	return secretsmanager.InvalidParameterException(format, args...)
}

func unfit(format string, args ...any) error {
	return secretsmanager.InvalidRequestException(format, args...)
}

// notImplemented names something that would change what happens, if Fargo knew how.
func notImplemented(what string) error { return invalid("Fargo does not implement %s.", what) }

// name is what a secret may be called.
var name = regexp.MustCompile(`^[A-Za-z0-9/_+=.@!-]+$`)

func checkName(s string) error {
	if !name.MatchString(s) {
		return protocol.Errorf("ValidationException", "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	}
	return nil
}

// find finds a secret of the caller's by its name, its ARN, or its ARN without the suffix.
func find(r store.Reader, scope fargo.Scope, id *string) (*record.Secret, error) {
	if !strings.HasPrefix(*id, "arn:") {
		if err := checkName(*id); err != nil {
			return nil, err
		}
	}
	if s, ok := store.FindSecret(r, scope, *id); ok {
		return s, nil
	}
	if a, ok := fargo.ParseARN(*id); ok && a.Account != scope.Account && a.Region == scope.Region {
		if s, ok := store.FindSecret(r, a.Scope(), *id); ok && s.KMSKeyID == "" {
			return nil, unfit("You can't access a secret from a different AWS account if you encrypt the secret with the default KMS service key.")
		}
	}
	return nil, secretsmanager.ResourceNotFoundException("Secrets Manager can't find the specified secret.")
}

// findLive is find of a secret that is not marked for deletion.
func findLive(r store.Reader, scope fargo.Scope, id *string) (*record.Secret, error) {
	s, err := find(r, scope, id)
	if err != nil {
		return nil, err
	}
	return s, plan.SecretLive(s)
}

// change changes a secret that is not marked for deletion, and gives what became of it.
func (s *Server) change(ctx context.Context, id *string, fn func(tx *store.Tx, changed *record.Secret) error) (*record.Secret, error) {
	scope := api.CallFrom(ctx).Scope()
	var changed record.Secret
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		found, err := findLive(tx, scope, id)
		if err != nil {
			return err
		}
		if err := checkOwner(found); err != nil {
			return err
		}
		changed = *found
		if err := fn(tx, &changed); err != nil {
			return err
		}
		put := changed
		store.Secrets.Put(tx, &put)
		return nil
	})
	return &changed, err
}

// checkOwner refuses to change what is another service's.
func checkOwner(s *record.Secret) error {
	if s.OwningService == "" {
		return nil
	}
	return unfit("The secret is managed by another service, and you must use that service to update it.")
}

// requireToken refuses a request without the token that clients make.
func requireToken(token *string) error {
	if aws.Value(token) == "" {
		return unfit("You must provide a ClientRequestToken value. We recommend a UUID-type value.")
	}
	return nil
}
