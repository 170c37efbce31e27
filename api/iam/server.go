// Package iam implements the operations of AWS IAM: roles, users, groups,
// their policies and access keys. It knows IAM's nouns, rules and texts; it
// refuses to know what a policy allows, which package policy decides, and who
// asks for that decision.
package iam

import (
	"context"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws/iam"
	"fargo/aws/protocol"
	"fargo/store"
)

// Config is what a Server needs.
type Config struct {
	DB *store.DB
	// LastUse is told of requests; nil is one that is told of none.
	LastUse *LastUse
	// Calls are those that services make of IAM.
	Calls api.Calls
}

// Server answers the IAM operations, from and into the store.
type Server struct {
	db      *store.DB
	lastUse *LastUse
	calls   api.Calls
}

// New makes a server.
func New(c Config) *Server {
	if c.LastUse == nil {
		c.LastUse = NewLastUse(c.DB, slog.New(slog.DiscardHandler))
	}
	return &Server{db: c.DB, lastUse: c.LastUse, calls: c.Calls}
}

// scopeOf is where the caller's IAM entities live: in no region.
func scopeOf(ctx context.Context) fargo.Scope {
	return fargo.Scope{Account: api.CallFrom(ctx).Account}
}

// change finds an entity by its name or ARN, lets f change a copy of it, and stores
// that.
func change[T any](ctx context.Context, db *store.DB, table *store.Table[T],
	find func(store.Reader, fargo.Scope, *string) (*T, error), name *string, f func(*store.Tx, *T) error,
) error {
	return db.Update(ctx, func(tx *store.Tx) error {
		found, err := find(tx, scopeOf(ctx), name)
		if err != nil {
			return err
		}
		changed := *found
		if err := f(tx, &changed); err != nil {
			return err
		}
		table.Put(tx, &changed)
		return nil
	})
}

// now is the time as IAM tells it: in whole seconds.
func now() *time.Time { return new(time.Now().UTC().Truncate(time.Second)) }

// entityPath is what a path must look like. Source: IAM API, CreateRole.
var entityPath = regexp.MustCompile(`^/([\x21-\x7e]+/)?$`)

// pathOf is the path that a call gives an entity, "/" if none.
func pathOf(p *string) (*string, error) {
	if p == nil {
		return new("/"), nil
	}
	if !entityPath.MatchString(*p) {
		return nil, protocol.Errorf("ValidationError", "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	return p, nil
}

// encoded is a document as answers carry it: URL-encoded after RFC 3986.
func encoded(document string) *string {
	return new(strings.ReplaceAll(url.QueryEscape(document), "+", "%20"))
}

func missing(format string, args ...any) error {
	return iam.NoSuchEntityException(format, args...)
}

func exists(format string, args ...any) error {
	return iam.EntityAlreadyExistsException(format, args...)
}

func conflict(format string, args ...any) error {
	return iam.DeleteConflictException(format, args...)
}
