package acm

import (
	"context"

	"fargo"
	"fargo/api"
	"fargo/aws/acm"
	"fargo/store"
)

// RenewCertificate issues a certificate anew, for the same names and of another
// key, if a load balancer has it. Its ARN stays.
func (s *Server) RenewCertificate(ctx context.Context, in *acm.RenewCertificateInput) (*acm.RenewCertificateOutput, error) {
	at := now()
	old, err := find(s.db.View(), api.CallFrom(ctx).Scope(), *in.CertificateArn)
	if err != nil {
		return nil, err
	}
	if old.Certificate.Type != acm.CertificateTypeAmazonIssued {
		return nil, notEligible(*in.CertificateArn)
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
		if len(inUseBy(tx, old.Key())) == 0 {
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
	return invalid("Certificate %s is not eligible for renewal: it must be issued by ACM and in use.", arn)
}

// UpdateCertificateOptions sets whether a certificate that was asked for should
// be logged.
func (s *Server) UpdateCertificateOptions(ctx context.Context, in *acm.UpdateCertificateOptionsInput) (*acm.UpdateCertificateOptionsOutput, error) {
	if in.Options.Export == acm.CertificateExportEnabled {
		return nil, notImplemented("exportable certificates")
	}
	return &acm.UpdateCertificateOptionsOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		old, err := find(tx, scope, *in.CertificateArn)
		if err != nil {
			return err
		}
		if old.Certificate.Type != acm.CertificateTypeAmazonIssued {
			return acm.InvalidStateException("Certificate %s was imported: its options cannot be updated.", old.Key())
		}
		if in.Options.CertificateTransparencyLoggingPreference == "" {
			return nil
		}
		c, options := *old, *old.Certificate.Options
		options.CertificateTransparencyLoggingPreference = in.Options.CertificateTransparencyLoggingPreference
		c.Certificate.Options = &options
		store.Certificates.Put(tx, &c)
		return nil
	})
}
