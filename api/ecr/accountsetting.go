package ecr

import (
	"context"
	"maps"
	"slices"
	"strings"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/ecr"
	"fargo/record"
	"fargo/store"
)

// settingValues are the values that each setting of a registry can have; the first
// is its default.
// Source: ECR API reference, PutAccountSetting; user guide, "Blob mounting in Amazon
// ECR". Which scope of policies is the default is not documented.
var settingValues = map[string][]string{
	blobMounting:              {"DISABLED", mountingEnabled},
	"BASIC_SCAN_TYPE_VERSION": {"AWS_NATIVE"},
	"REGISTRY_POLICY_SCOPE":   {"V2", "V1"},
}

const (
	blobMounting    = "BLOB_MOUNTING"
	mountingEnabled = "ENABLED"
)

// GetAccountSetting shows a setting of the caller's registry.
func (s *Server) GetAccountSetting(ctx context.Context, in *ecr.GetAccountSettingInput) (*ecr.GetAccountSettingOutput, error) {
	if err := checkSetting(*in.Name); err != nil {
		return nil, err
	}
	value := setting(s.db.View(), api.CallFrom(ctx).Scope(), *in.Name)
	return &ecr.GetAccountSettingOutput{Name: in.Name, Value: &value}, nil
}

// PutAccountSetting changes a setting of the caller's registry.
func (s *Server) PutAccountSetting(ctx context.Context, in *ecr.PutAccountSettingInput) (*ecr.PutAccountSettingOutput, error) {
	if err := checkSetting(*in.Name); err != nil {
		return nil, err
	}
	if values := settingValues[*in.Name]; !slices.Contains(values, *in.Value) {
		return nil, badSetting("value", values)
	}
	scope := api.CallFrom(ctx).Scope()
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		changed := &record.Registry{Scope: scope, Settings: map[string]string{}}
		if r, ok := store.Registries.Get(tx, changed.Key()); ok {
			maps.Copy(changed.Settings, r.Settings)
		}
		changed.Settings[*in.Name] = *in.Value
		store.Registries.Put(tx, changed)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.PutAccountSettingOutput{Name: in.Name, Value: in.Value}, nil
}

func checkSetting(name string) error {
	if settingValues[name] == nil {
		return badSetting("name", slices.Sorted(maps.Keys(settingValues)))
	}
	return nil
}

// badSetting refuses a name or a value.
func badSetting(member string, values []string) error {
	return ecr.InvalidParameterException("Invalid parameter at '%s' failed to satisfy constraint: 'must be one of [%s]'", member, strings.Join(values, ", "))
}

func setting(r store.Reader, scope fargo.Scope, name string) string {
	if registry, ok := store.Registries.Get(r, (&record.Registry{Scope: scope}).Key()); ok && registry.Settings[name] != "" {
		return registry.Settings[name]
	}
	return settingValues[name][0]
}

// MayMount reports whether a repository may take a layer of another one instead of an
// upload: when the registry's owner has enabled it, and both are encrypted alike.
func (s *Server) MayMount(_ context.Context, scope fargo.Scope, from, to string) bool {
	view := s.db.View()
	if setting(view, scope, blobMounting) != mountingEnabled {
		return false
	}
	a, err := find(view, scope, from)
	if err != nil {
		return false
	}
	b, err := find(view, scope, to)
	return err == nil && encryptedAlike(a.Repository.EncryptionConfiguration, b.Repository.EncryptionConfiguration)
}

func encryptedAlike(a, b *ecr.EncryptionConfiguration) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.EncryptionType == b.EncryptionType && aws.Value(a.KmsKey) == aws.Value(b.KmsKey)
}
