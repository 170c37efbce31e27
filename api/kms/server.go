// Package kms implements the operations of the Key Management Service: keys, their
// aliases, policies and rotation, and what is encrypted with them. It knows how KMS
// answers; how ciphertexts are made, package kms of the root knows.
//
// Keys are symmetric, for encryption, made by KMS, and of one region. All others are
// refused by name.
package kms

import (
	"context"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws/kms"
	"fargo/aws/protocol"
	engine "fargo/kms"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// Server answers the KMS operations, from and into the store.
type Server struct{ db *store.DB }

// New makes a server on db.
func New(db *store.DB) *Server { return &Server{db: db} }

// update runs fn in a transaction with the caller's scope.
func (s *Server) update(ctx context.Context, fn func(tx *store.Tx, scope fargo.Scope) error) error {
	scope := api.CallFrom(ctx).Scope()
	return s.db.Update(ctx, func(tx *store.Tx) error { return fn(tx, scope) })
}

// now is a time as KMS has it: milliseconds, UTC.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// pages are those of lists; the bounds of a page are in the model.
var pages = page.Rules{
	BadToken: func(string) error { return kms.InvalidMarkerException("The marker is not valid.") },
}

// invalid is KMS's answer to a parameter it cannot take.
func invalid(format string, args ...any) error {
	return protocol.Errorf("ValidationException", format, args...)
}

// notImplemented names something that would change what happens, if Fargo knew how.
func notImplemented(what string) error {
	return kms.UnsupportedOperationException("Fargo does not implement %s.", what)
}

// find finds a key of the caller's, by its id, ARN or alias.
func find(r store.Reader, scope fargo.Scope, keyID string) (*record.KMSKey, error) {
	k, ok := store.FindKMSKey(r, scope, keyID)
	if !ok {
		return nil, plan.KMSKeyNotFound(scope, keyID)
	}
	return k, nil
}

// used is find for operations that make the key of a service, if it is named for the
// first time.
func (s *Server) used(ctx context.Context, keyID string) (*record.KMSKey, error) {
	scope := api.CallFrom(ctx).Scope()
	if k, ok := store.FindKMSKey(s.db.View(), scope, keyID); ok {
		return k, nil
	}
	var k *record.KMSKey
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope) (err error) {
		k, err = engine.FindOrMake(tx, scope, keyID, now())
		return err
	})
	return k, err
}

// changeable finds a key that the operation changes: one of the customer's own, named
// by its id or ARN, that is not on its way out.
func changeable(tx *store.Tx, scope fargo.Scope, operation, keyID string) (*record.KMSKey, error) {
	k, err := named(tx, scope, keyID)
	if err != nil {
		return nil, err
	}
	if k.Metadata.KeyManager == kms.KeyManagerTypeAws {
		return nil, protocol.Errorf("AccessDeniedException", "%s is an AWS managed key, which kms:%s cannot change.", k.ARN(), operation)
	}
	return k, plan.KMSKeyNotDeleted(k)
}

// named finds a key by its id or ARN, for operations that take no alias.
func named(r store.Reader, scope fargo.Scope, keyID string) (*record.KMSKey, error) {
	if isAlias(keyID) {
		return nil, kms.NotFoundException("Invalid keyId '%s'", keyID)
	}
	return find(r, scope, keyID)
}

// isAlias reports whether a key is named by an alias, or by an alias's ARN.
func isAlias(keyID string) bool {
	a, isARN := fargo.ParseARN(keyID)
	return strings.HasPrefix(keyID, "alias/") || isARN && strings.HasPrefix(a.Resource, "alias/")
}

// change gives a key of the customer's what fn makes of a copy of it.
func (s *Server) change(ctx context.Context, keyID string, fn func(tx *store.Tx, k *record.KMSKey) error) (*record.KMSKey, error) {
	changed := &record.KMSKey{}
	return changed, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		k, err := changeable(tx, scope, api.CallFrom(ctx).Operation, keyID)
		if err != nil {
			return err
		}
		*changed = *k
		if err := fn(tx, changed); err != nil {
			return err
		}
		store.KMSKeys.Put(tx, changed)
		return nil
	})
}
