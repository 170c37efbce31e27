package acm

import (
	"cmp"
	"context"
	"crypto"
	"fmt"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws/acm"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// renewable reports whether a certificate can be renewed.
func renewable(r store.Reader, c *record.Certificate) bool {
	return plan.Renewable(c, len(inUseBy(r, c.Key())) > 0)
}

// RenewCertificate issues a certificate anew before that is due.
func (s *Server) RenewCertificate(ctx context.Context, in *acm.RenewCertificateInput) (*acm.RenewCertificateOutput, error) {
	at := now()
	view := s.db.View()
	old, err := find(view, api.CallFrom(ctx).Scope(), *in.CertificateArn)
	if err != nil {
		return nil, err
	}
	if !renewable(view, old) {
		return nil, notEligible(old.Key())
	}
	key, err := newKey(old.Certificate.KeyAlgorithm)
	if err != nil {
		return nil, err
	}
	return &acm.RenewCertificateOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		old, err := find(tx, scope, *in.CertificateArn)
		if err != nil {
			return err
		}
		if !renewable(tx, old) {
			return notEligible(old.Key())
		}
		return replace(tx, old, key, at)
	})
}

// Renew issues a certificate anew, as the control plane does when it is due.
func Renew(tx *store.Tx, old *record.Certificate, at time.Time) error {
	key, err := newKey(old.Certificate.KeyAlgorithm)
	if err != nil {
		return fmt.Errorf("make a key for certificate %s: %w", old.Key(), err)
	}
	return replace(tx, old, key, at.UTC().Truncate(time.Second))
}

// replace puts a certificate for the same names, of another key, in the place of
// one. Its ARN stays. Who exported the old one must export the new one.
func replace(tx *store.Tx, old *record.Certificate, key crypto.Signer, at time.Time) error {
	c, err := sign(tx, old.Scope, old.Certificate.SubjectAlternativeNames, key, at)
	if err != nil {
		return err
	}
	c.Tags, c.Token = old.Tags, old.Token
	d := &c.Certificate
	d.CertificateArn, d.CreatedAt, d.Options = old.Certificate.CertificateArn, old.Certificate.CreatedAt, old.Certificate.Options
	d.DomainValidationOptions = old.Certificate.DomainValidationOptions
	d.RenewalSummary = &acm.RenewalSummary{
		RenewalStatus: acm.RenewalStatusSuccess, DomainValidationOptions: d.DomainValidationOptions, UpdatedAt: &at,
	}
	store.Certificates.Put(tx, c)
	return nil
}

func notEligible(arn string) error {
	return invalid("Certificate %s is not eligible for renewal: it must be issued by ACM, and in use or exported.", arn)
}

// UpdateCertificateOptions sets whether a certificate that was asked for should
// be logged. Whether it can be exported is for good.
func (s *Server) UpdateCertificateOptions(ctx context.Context, in *acm.UpdateCertificateOptionsInput) (*acm.UpdateCertificateOptionsOutput, error) {
	return &acm.UpdateCertificateOptionsOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		old, err := find(tx, scope, *in.CertificateArn)
		if err != nil {
			return err
		}
		if old.Certificate.Type != acm.CertificateTypeAmazonIssued {
			return acm.InvalidStateException("Certificate %s was imported: its options cannot be updated.", old.Key())
		}
		c, options := *old, *old.Certificate.Options
		if in.Options.Export != "" && in.Options.Export != options.Export {
			return invalid("You cannot update the value of Export after the certificate is created.")
		}
		options.CertificateTransparencyLoggingPreference = cmp.Or(in.Options.CertificateTransparencyLoggingPreference, options.CertificateTransparencyLoggingPreference)
		c.Certificate.Options = &options
		store.Certificates.Put(tx, &c)
		return nil
	})
}
