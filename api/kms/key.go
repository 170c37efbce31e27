package kms

import (
	"cmp"
	"context"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/kms"
	engine "fargo/kms"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// CreateKey makes a symmetric key.
func (s *Server) CreateKey(ctx context.Context, in *kms.CreateKeyInput) (*kms.CreateKeyOutput, error) {
	if err := checkKind(in); err != nil {
		return nil, err
	}
	if err := tagRules.Check(in.Tags); err != nil {
		return nil, err
	}
	call := api.CallFrom(ctx)
	policy := aws.ValueOr(in.Policy, engine.DefaultPolicy(call.Account))
	if err := checkPolicy(call, policy, aws.Value(in.BypassPolicyLockoutSafetyCheck)); err != nil {
		return nil, err
	}
	var k *record.KMSKey
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		k = engine.NewKey(tx, scope, kms.KeyManagerTypeCustomer, aws.Value(in.Description), policy, in.Tags, now())
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &kms.CreateKeyOutput{KeyMetadata: &k.Metadata}, nil
}

// checkKind refuses the kinds of keys that there are not.
func checkKind(in *kms.CreateKeyInput) error {
	if in.KeySpec != "" && in.CustomerMasterKeySpec != "" {
		return invalid("You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.")
	}
	spec := cmp.Or(string(in.KeySpec), string(in.CustomerMasterKeySpec), string(kms.KeySpecSymmetricDefault))
	symmetric := spec == string(kms.KeySpecSymmetricDefault)
	switch {
	case !symmetric && in.KeyUsage == "":
		return invalid("You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.")
	case !symmetric:
		return notImplemented("keys of the key spec " + spec)
	case in.KeyUsage != "" && in.KeyUsage != kms.KeyUsageTypeEncryptDecrypt:
		return invalid("KeyUsage %s is not compatible with KeySpec %s", in.KeyUsage, spec)
	case in.Origin != "" && in.Origin != kms.OriginTypeAwsKms:
		return notImplemented("keys of the origin " + string(in.Origin))
	case in.CustomKeyStoreId != nil:
		return notImplemented("custom key stores")
	case in.XksKeyId != nil:
		return notImplemented("external key stores")
	case aws.Value(in.MultiRegion):
		return notImplemented("multi-Region keys")
	}
	return nil
}

// DescribeKey shows a key.
func (s *Server) DescribeKey(ctx context.Context, in *kms.DescribeKeyInput) (*kms.DescribeKeyOutput, error) {
	k, err := s.used(ctx, *in.KeyId)
	if err != nil {
		return nil, err
	}
	return &kms.DescribeKeyOutput{KeyMetadata: &k.Metadata}, nil
}

// ListKeys lists all keys, those that AWS manages included.
func (s *Server) ListKeys(ctx context.Context, in *kms.ListKeysInput) (*kms.ListKeysOutput, error) {
	keys := store.KMSKeys.Prefix(s.db.View(), api.CallFrom(ctx).Scope().Key())
	list, next, err := page.Of(pages.WithDefault(100).Ask(in, in.Marker, in.Limit), keys, (*record.KMSKey).Key)
	if err != nil {
		return nil, err
	}
	out := &kms.ListKeysOutput{Keys: []kms.KeyListEntry{}, NextMarker: next, Truncated: new(next != nil)}
	for _, k := range list {
		out.Keys = append(out.Keys, kms.KeyListEntry{KeyId: k.Metadata.KeyId, KeyArn: k.Metadata.Arn})
	}
	return out, nil
}

// UpdateKeyDescription gives a key another description.
func (s *Server) UpdateKeyDescription(ctx context.Context, in *kms.UpdateKeyDescriptionInput) (*kms.UpdateKeyDescriptionOutput, error) {
	_, err := s.change(ctx, *in.KeyId, func(_ *store.Tx, k *record.KMSKey) error {
		k.Metadata.Description = in.Description
		return nil
	})
	return &kms.UpdateKeyDescriptionOutput{}, err
}

// EnableKey lets a key be used again.
func (s *Server) EnableKey(ctx context.Context, in *kms.EnableKeyInput) (*kms.EnableKeyOutput, error) {
	_, err := s.change(ctx, *in.KeyId, func(_ *store.Tx, k *record.KMSKey) error {
		setState(k, kms.KeyStateEnabled)
		return nil
	})
	return &kms.EnableKeyOutput{}, err
}

// DisableKey keeps a key from being used.
func (s *Server) DisableKey(ctx context.Context, in *kms.DisableKeyInput) (*kms.DisableKeyOutput, error) {
	_, err := s.change(ctx, *in.KeyId, func(_ *store.Tx, k *record.KMSKey) error {
		setState(k, kms.KeyStateDisabled)
		return nil
	})
	return &kms.DisableKeyOutput{}, err
}

func setState(k *record.KMSKey, state kms.KeyState) {
	k.Metadata.KeyState, k.Metadata.Enabled = state, new(state == kms.KeyStateEnabled)
}

// The days that a key waits for its deletion.
// Source: KMS API, ScheduleKeyDeletion.
const (
	leastWindow, mostWindow = 7, 30
	defaultWindow           = 30
)

// ScheduleKeyDeletion has a key deleted after a number of days, with its material. Until
// then it cannot be used.
func (s *Server) ScheduleKeyDeletion(ctx context.Context, in *kms.ScheduleKeyDeletionInput) (*kms.ScheduleKeyDeletionOutput, error) {
	days := aws.ValueOr(in.PendingWindowInDays, defaultWindow)
	if days < leastWindow || days > mostWindow {
		return nil, invalid("PendingWindowInDays must be between %d and %d days (inclusive).", leastWindow, mostWindow)
	}
	k, err := s.change(ctx, *in.KeyId, func(_ *store.Tx, k *record.KMSKey) error {
		setState(k, kms.KeyStatePendingDeletion)
		k.Metadata.DeletionDate = new(now().AddDate(0, 0, int(days)))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &kms.ScheduleKeyDeletionOutput{
		KeyId: k.Metadata.Arn, DeletionDate: k.Metadata.DeletionDate, KeyState: k.Metadata.KeyState, PendingWindowInDays: &days,
	}, nil
}

// CancelKeyDeletion keeps a key that was to be deleted. It is disabled from then on.
func (s *Server) CancelKeyDeletion(ctx context.Context, in *kms.CancelKeyDeletionInput) (*kms.CancelKeyDeletionOutput, error) {
	out := &kms.CancelKeyDeletionOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		k, err := named(tx, scope, *in.KeyId)
		if err != nil {
			return err
		}
		if plan.KMSKeyNotDeleted(k) == nil {
			return kms.KMSInvalidStateException("%s is not pending deletion.", k.ARN())
		}
		kept := *k
		setState(&kept, kms.KeyStateDisabled)
		kept.Metadata.DeletionDate = nil
		out.KeyId = kept.Metadata.Arn
		store.KMSKeys.Put(tx, &kept)
		return nil
	})
}
