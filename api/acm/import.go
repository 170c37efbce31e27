package acm

import (
	"context"

	"fargo"
	"fargo/aws/acm"
	"fargo/store"
)

// ImportCertificate keeps a certificate that its owner has from elsewhere, or
// replaces one that was imported before.
func (s *Server) ImportCertificate(ctx context.Context, in *acm.ImportCertificateInput) (*acm.ImportCertificateOutput, error) {
	at := now()
	p, err := parse(in.Certificate, in.PrivateKey, in.CertificateChain, at)
	if err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	if in.CertificateArn != nil && len(in.Tags) > 0 {
		return nil, invalid("Tagging is not permitted on re-import.")
	}
	c := &fargo.Certificate{
		Certificate: p.detail(), Tags: in.Tags,
		Body: string(in.Certificate), Chain: string(in.CertificateChain), PrivateKey: string(in.PrivateKey),
	}
	d := &c.Certificate
	d.Type, d.CreatedAt, d.ImportedAt = acm.CertificateTypeImported, &at, &at
	d.Options = &acm.CertificateOptions{
		CertificateTransparencyLoggingPreference: acm.CertificateTransparencyLoggingPreferenceDisabled, Export: acm.CertificateExportDisabled,
	}
	out := &acm.ImportCertificateOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		c.Scope = scope
		if in.CertificateArn == nil {
			d.CertificateArn = new(newARN(scope))
		} else {
			old, err := find(tx, scope, *in.CertificateArn)
			switch {
			case err != nil:
				return err
			case old.Certificate.Type != acm.CertificateTypeImported:
				return invalid("Certificate %s was not imported and cannot be re-imported.", *in.CertificateArn)
			case old.Certificate.KeyAlgorithm != d.KeyAlgorithm:
				return invalid("The key algorithm of the certificate must be that of the one it replaces, %s.", old.Certificate.KeyAlgorithm)
			}
			d.CertificateArn, d.CreatedAt, c.Tags = old.Certificate.CertificateArn, old.Certificate.CreatedAt, old.Tags
		}
		store.Certificates.Put(tx, c)
		out.CertificateArn = d.CertificateArn
		return nil
	})
}
