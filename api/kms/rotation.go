package kms

import (
	"context"
	"slices"
	"time"

	"fargo/api"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/kms"
	engine "fargo/kms"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// defaultRotationDays is how often a key gets new material when nobody says.
// Source: KMS API, EnableKeyRotation.
const defaultRotationDays = 365

// EnableKeyRotation has a key get new material every so many days.
func (s *Server) EnableKeyRotation(ctx context.Context, in *kms.EnableKeyRotationInput) (*kms.EnableKeyRotationOutput, error) {
	_, err := s.change(ctx, *in.KeyId, func(_ *store.Tx, k *record.KMSKey) error {
		days := aws.ValueOr(in.RotationPeriodInDays, defaultRotationDays)
		if err := plan.KMSKeyUsable(k); err != nil || days == k.RotationDays {
			return err
		}
		k.RotationDays, k.NextRotation = days, plan.KMSRotationAfter(now(), days)
		return nil
	})
	return &kms.EnableKeyRotationOutput{}, err
}

// DisableKeyRotation has a key keep its material.
func (s *Server) DisableKeyRotation(ctx context.Context, in *kms.DisableKeyRotationInput) (*kms.DisableKeyRotationOutput, error) {
	_, err := s.change(ctx, *in.KeyId, func(_ *store.Tx, k *record.KMSKey) error {
		k.RotationDays, k.NextRotation = 0, time.Time{}
		return plan.KMSKeyUsable(k)
	})
	return &kms.DisableKeyRotationOutput{}, err
}

// GetKeyRotationStatus says whether and when a key gets new material.
func (s *Server) GetKeyRotationStatus(ctx context.Context, in *kms.GetKeyRotationStatusInput) (*kms.GetKeyRotationStatusOutput, error) {
	k, err := named(s.db.View(), api.CallFrom(ctx).Scope(), *in.KeyId)
	if err != nil {
		return nil, err
	}
	out := &kms.GetKeyRotationStatusOutput{KeyId: k.Metadata.Arn, KeyRotationEnabled: new(k.RotationDays > 0), RotationPeriodInDays: aws.NonZero(k.RotationDays)}
	if k.RotationDays > 0 {
		out.NextRotationDate = &k.NextRotation
	}
	return out, plan.KMSKeyNotDeleted(k)
}

// mostOnDemand is how often a key can be rotated on demand.
// Source: KMS API, RotateKeyOnDemand.
const mostOnDemand = 25

// RotateKeyOnDemand gives a key new material. What it has encrypted can still be
// decrypted.
func (s *Server) RotateKeyOnDemand(ctx context.Context, in *kms.RotateKeyOnDemandInput) (*kms.RotateKeyOnDemandOutput, error) {
	k, err := s.change(ctx, *in.KeyId, func(tx *store.Tx, k *record.KMSKey) error {
		if err := plan.KMSKeyUsable(k); err != nil {
			return err
		}
		if rotatedOnDemand(k) >= mostOnDemand {
			return kms.LimitExceededException("%s was rotated on demand %d times, which is the most.", k.ARN(), mostOnDemand)
		}
		*k = *engine.Rotate(tx, k, kms.RotationTypeOnDemand, now())
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &kms.RotateKeyOnDemandOutput{KeyId: k.Metadata.Arn}, nil
}

func rotatedOnDemand(k *record.KMSKey) (times int) {
	for _, m := range k.Materials {
		if m.Type == kms.RotationTypeOnDemand {
			times++
		}
	}
	return times
}

// ListKeyRotations lists the rotations of a key or, when asked, all its materials.
func (s *Server) ListKeyRotations(ctx context.Context, in *kms.ListKeyRotationsInput) (*kms.ListKeyRotationsOutput, error) {
	k, err := named(s.db.View(), api.CallFrom(ctx).Scope(), *in.KeyId)
	if err != nil {
		return nil, err
	}
	rotations := k.Materials[1:]
	if in.IncludeKeyMaterial == kms.IncludeKeyMaterialAllKeyMaterial {
		rotations = k.Materials
	}
	list, next, err := page.Of(pages.WithDefault(100).Ask(in, in.Marker, in.Limit), slices.Values(rotations), func(r record.KMSRotation) string { return r.MaterialID })
	if err != nil {
		return nil, err
	}
	out := &kms.ListKeyRotationsOutput{Rotations: []kms.RotationsListEntry{}, NextMarker: next, Truncated: new(next != nil)}
	for _, r := range list {
		e := kms.RotationsListEntry{KeyId: k.Metadata.KeyId, KeyMaterialId: &r.MaterialID, KeyMaterialState: kms.KeyMaterialStateNonCurrent, RotationType: r.Type}
		if r.MaterialID == *k.Metadata.CurrentKeyMaterialId {
			e.KeyMaterialState = kms.KeyMaterialStateCurrent
		}
		if r.Type != "" {
			e.RotationDate = &r.Date
		}
		out.Rotations = append(out.Rotations, e)
	}
	return out, nil
}
