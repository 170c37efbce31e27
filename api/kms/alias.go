package kms

import (
	"context"
	"iter"
	"slices"
	"strings"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws/kms"
	"fargo/aws/protocol"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// checkAlias refuses names that a customer's alias cannot have.
func checkAlias(name string) error {
	switch {
	case !strings.HasPrefix(name, "alias/"):
		return invalid("Alias must start with the prefix \"alias/\". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html")
	case strings.HasPrefix(name, "alias/aws/"):
		return protocol.Errorf("NotAuthorizedException", "")
	case name == "alias/":
		return kms.InvalidAliasNameException("The alias name %s has nothing after its prefix.", name)
	case strings.Contains(name, ":"):
		return invalid("%s contains invalid characters for an alias", name)
	}
	return nil
}

// target finds the key that an alias is to name.
func target(tx *store.Tx, scope fargo.Scope, keyID string) (*record.KMSKey, error) {
	if isAlias(keyID) {
		return nil, invalid("Aliases must refer to keys. Not aliases")
	}
	k, err := find(tx, scope, keyID)
	if err != nil {
		return nil, err
	}
	if k.Metadata.KeyManager == kms.KeyManagerTypeAws {
		return nil, protocol.Errorf("NotAuthorizedException", "")
	}
	return k, plan.KMSKeyNotDeleted(k)
}

// CreateAlias gives a key another name.
func (s *Server) CreateAlias(ctx context.Context, in *kms.CreateAliasInput) (*kms.CreateAliasOutput, error) {
	if err := checkAlias(*in.AliasName); err != nil {
		return nil, err
	}
	return &kms.CreateAliasOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		k, err := target(tx, scope, *in.TargetKeyId)
		if err != nil {
			return err
		}
		at := now()
		a := &record.KMSAlias{Scope: scope, Name: *in.AliasName, KeyID: *k.Metadata.KeyId, Created: at, Updated: at}
		if _, ok := store.KMSAliases.Get(tx, a.Key()); ok {
			return kms.AlreadyExistsException("An alias with the name %s already exists", a.ARN())
		}
		store.KMSAliases.Put(tx, a)
		return nil
	})
}

// changeAlias gives an alias what fn makes of a copy of it, or deletes it when fn is nil.
func (s *Server) changeAlias(ctx context.Context, name string, fn func(tx *store.Tx, a *record.KMSAlias) error) error {
	if err := checkAlias(name); err != nil {
		return err
	}
	return s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		a, ok := store.KMSAliases.Get(tx, scope.Key(name))
		if !ok {
			return plan.KMSKeyNotFound(scope, name)
		}
		if fn == nil {
			store.KMSAliases.Delete(tx, a.Key())
			return nil
		}
		changed := *a
		if err := fn(tx, &changed); err != nil {
			return err
		}
		store.KMSAliases.Put(tx, &changed)
		return nil
	})
}

// UpdateAlias has an alias name another key.
func (s *Server) UpdateAlias(ctx context.Context, in *kms.UpdateAliasInput) (*kms.UpdateAliasOutput, error) {
	return &kms.UpdateAliasOutput{}, s.changeAlias(ctx, *in.AliasName, func(tx *store.Tx, a *record.KMSAlias) error {
		k, err := target(tx, a.Scope, *in.TargetKeyId)
		if err != nil {
			return err
		}
		a.KeyID, a.Updated = *k.Metadata.KeyId, now()
		return nil
	})
}

// DeleteAlias deletes an alias; its key stays.
func (s *Server) DeleteAlias(ctx context.Context, in *kms.DeleteAliasInput) (*kms.DeleteAliasOutput, error) {
	return &kms.DeleteAliasOutput{}, s.changeAlias(ctx, *in.AliasName, nil)
}

// ListAliases lists aliases, of one key or of all. Those of AWS are listed once they
// have a key.
func (s *Server) ListAliases(ctx context.Context, in *kms.ListAliasesInput) (*kms.ListAliasesOutput, error) {
	all, err := s.aliases(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	list, next, err := page.Of(pages.WithDefault(50).Ask(in, in.Marker, in.Limit), all, (*record.KMSAlias).Key)
	if err != nil {
		return nil, err
	}
	out := &kms.ListAliasesOutput{Aliases: []kms.AliasListEntry{}, NextMarker: next, Truncated: new(next != nil)}
	for _, a := range list {
		out.Aliases = append(out.Aliases, kms.AliasListEntry{
			AliasName: &a.Name, AliasArn: new(a.ARN()), TargetKeyId: &a.KeyID, CreationDate: &a.Created, LastUpdatedDate: &a.Updated,
		})
	}
	return out, nil
}

func (s *Server) aliases(ctx context.Context, keyID *string) (iter.Seq[*record.KMSAlias], error) {
	view, scope := s.db.View(), api.CallFrom(ctx).Scope()
	if keyID == nil {
		return store.KMSAliases.Prefix(view, scope.Key()), nil
	}
	k, err := named(view, scope, *keyID)
	if err != nil {
		return slices.Values([]*record.KMSAlias{}), err
	}
	return store.AliasesOfKMSKey(view, k), nil
}
