package store

import (
	"iter"
	"strings"

	"fargo"
	"fargo/record"
)

// AliasByKMSKey finds aliases by the place of their key in the store.
const AliasByKMSKey = "key"

// KMSKeys are the keys of KMS, without their material.
var KMSKeys = NewTable("kmskey", (*record.KMSKey).Key)

// KMSMaterials are the secrets of KMS's keys.
var KMSMaterials = NewTable("kmsmaterial", (*record.KMSMaterial).Key).Sealed()

// KMSAliases are the aliases of KMS's keys.
var KMSAliases = NewTable("kmsalias", (*record.KMSAlias).Key,
	Index[record.KMSAlias]{AliasByKMSKey, func(a *record.KMSAlias) []string { return []string{a.Scope.Key(a.KeyID)} }})

// FindKMSKey finds a key in a scope by what callers name it by: its id, its ARN, an
// alias ("alias/production") or an alias's ARN. It finds no key of another scope.
func FindKMSKey(r Reader, scope fargo.Scope, keyID string) (*record.KMSKey, bool) {
	if strings.HasPrefix(keyID, "arn:") {
		a, ok := fargo.ParseARN(keyID)
		if !ok || a.Service != "kms" || a.Scope() != scope {
			return nil, false
		}
		keyID = strings.TrimPrefix(a.Resource, "key/")
	}
	if alias, ok := KMSAliases.Get(r, scope.Key(keyID)); ok {
		keyID = alias.KeyID
	}
	return KMSKeys.Get(r, scope.Key(keyID))
}

// AliasesOfKMSKey are the aliases of a key, by name.
func AliasesOfKMSKey(r Reader, k *record.KMSKey) iter.Seq[*record.KMSAlias] {
	return KMSAliases.By(r, AliasByKMSKey, k.Key())
}

// DeleteKMSKey deletes a key with its materials and aliases: what it has encrypted is
// lost.
func DeleteKMSKey(tx *Tx, k *record.KMSKey) {
	for m := range KMSMaterials.Prefix(tx, k.ARN()+"/") {
		KMSMaterials.Delete(tx, m.Key())
	}
	for a := range AliasesOfKMSKey(tx, k) {
		KMSAliases.Delete(tx, a.Key())
	}
	KMSKeys.Delete(tx, k.Key())
}
