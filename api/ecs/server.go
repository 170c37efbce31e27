// Package ecs says what the operations of Amazon ECS mean: check, one
// transaction, answer. It knows ECS's nouns, rules and texts; it refuses to
// know how a task comes to run. It writes what is wanted, and others do it.
package ecs

import (
	"context"
	"errors"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws/ecs"
	"fargo/record"
	"fargo/store"
)

// Config is what a Server needs.
type Config struct {
	DB *store.DB
	// Assumable reports whether a role exists and trusts an AWS service
	// ("ecs-tasks.amazonaws.com").
	Assumable func(r store.Reader, roleARN, service string) bool
	// TrySysctl says whether the kernel of the machines takes a setting in a
	// network and an IPC namespace of a task's, and why not. Nil means that nobody
	// can say.
	TrySysctl func(name, value string) error
	// TryUlimit says the same of a hard limit; -1 means none.
	TryUlimit func(name string, hard int64) error
}

// Server answers the ECS operations, from and into the store.
type Server struct {
	db        *store.DB
	assumable func(r store.Reader, roleARN, service string) bool
	trySysctl func(name, value string) error
	tryUlimit func(name string, hard int64) error
}

// New makes a server.
func New(c Config) *Server {
	return &Server{db: c.DB, assumable: c.Assumable, trySysctl: c.TrySysctl, tryUlimit: c.TryUlimit}
}

// defaultCluster is what a call means that names no cluster.
const defaultCluster = "default"

// inactive marks clusters that were deleted but can still be described.
const (
	statusActive   = "ACTIVE"
	statusInactive = "INACTIVE"
)

// nameOf gives the short name that an ARN or a name means.
func nameOf(id string) string {
	if a, ok := fargo.ParseARN(id); ok {
		return a.Name()
	}
	return id
}

// named gives the short name that a client means by id: a name, or the ARN of
// something of the kind ("service", "task") in the cluster. An ARN without a
// cluster is of the old form.
func named(kind string, c *record.Cluster, id string) (string, error) {
	a, ok := fargo.ParseARN(id)
	if !ok {
		return id, nil
	}
	if is, _, _ := strings.Cut(a.Resource, "/"); is != kind {
		return "", invalid("Unsupported resource type: %s", is)
	}
	if of := fargo.ClusterOf(a); of != "" && of != *c.Cluster.ClusterName {
		return "", invalid("Invalid identifier: Identifier is for cluster %s. Your cluster is %s", of, *c.Cluster.ClusterName)
	}
	return a.Name(), nil
}

func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

func yes(p *bool) bool { return p != nil && *p }

// cluster finds an active cluster by name or ARN; nil means "default".
func cluster(r store.Reader, scope fargo.Scope, id *string) (*record.Cluster, error) {
	name := defaultCluster
	if id != nil && *id != "" {
		name = nameOf(*id)
	}
	c, ok := store.Clusters.Get(r, scope.Key(name))
	if !ok || *c.Cluster.Status == statusInactive {
		return nil, ecs.ClusterNotFoundException("Cluster not found.")
	}
	return c, nil
}

// invalid is ECS's answer to a parameter it cannot take.
func invalid(format string, args ...any) error {
	return ecs.InvalidParameterException(format, args...)
}

// maxTags and the lengths below bound a resource's tags.
// Source: ECS API, Tag.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

func checkTags(tags []ecs.Tag) error {
	if len(tags) > maxTags {
		return invalid("Tags can not have more than %d elements.", maxTags)
	}
	seen := map[string]bool{}
	for _, t := range tags {
		k := text(t.Key)
		switch {
		case k == "" || len(k) > maxTagKey:
			return invalid("Tag key must be between 1 and %d characters long.", maxTagKey)
		case len(text(t.Value)) > maxTagValue:
			return invalid("Tag value must be at most %d characters long.", maxTagValue)
		case strings.HasPrefix(strings.ToLower(k), "aws:"):
			return invalid("Tag keys that begin with aws: are reserved.")
		case seen[k]:
			return invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen[k] = true
	}
	return nil
}

// mergeTags lays b over a, keeping a's order.
func mergeTags(a, b []ecs.Tag) []ecs.Tag {
	out := make([]ecs.Tag, 0, len(a)+len(b))
	place := map[string]int{}
	for _, t := range append(append([]ecs.Tag{}, a...), b...) {
		if i, ok := place[*t.Key]; ok {
			out[i] = t
			continue
		}
		place[*t.Key] = len(out)
		out = append(out, t)
	}
	return out
}

func withoutTags(tags []ecs.Tag, keys []string) []ecs.Tag {
	out := []ecs.Tag{}
	for _, t := range tags {
		gone := false
		for _, k := range keys {
			gone = gone || *t.Key == k
		}
		if !gone {
			out = append(out, t)
		}
	}
	return out
}

// update runs fn in a transaction with the caller's scope.
func (s *Server) update(ctx context.Context, fn func(tx *store.Tx, scope fargo.Scope, now time.Time) error) error {
	scope := api.CallFrom(ctx).Scope()
	err := s.db.Update(ctx, func(tx *store.Tx) error { return fn(tx, scope, time.Now()) })
	if errors.Is(err, store.ErrClosed) {
		return ecs.ServerException("Service is shutting down.")
	}
	return err
}
