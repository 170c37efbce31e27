package acm

import (
	"cmp"
	"context"

	"fargo"
	"fargo/api"
	"fargo/aws/acm"
	"fargo/record"
	"fargo/store"
)

// renewable reports whether a certificate can be renewed: it was asked for, and
// somebody has it.
// Source: ACM user guide, "Managed certificate renewal".
func renewable(r store.Reader, c *record.Certificate) bool {
	return c.Certificate.Type == acm.CertificateTypeAmazonIssued && (c.Exported || len(inUseBy(r, c.Key())) > 0)
}

// RenewCertificate issues a certificate anew, for the same names and of another
// key. Its ARN stays. Who exported the old one must export the new one.
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
		c, err := sign(tx, scope, old.Certificate.SubjectAlternativeNames, key, at)
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
	})
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
