package acm

import (
	"context"
	"slices"

	"fargo"
	"fargo/aws"
	"fargo/aws/acm"
	"fargo/record"
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
	if err := tagRules.Check(in.Tags); err != nil {
		return nil, err
	}
	if in.CertificateArn != nil && len(in.Tags) > 0 {
		return nil, invalid("Tagging is not permitted on re-import.")
	}
	c := &record.Certificate{
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
			if err != nil {
				return err
			}
			if err := checkReplaced(&old.Certificate, d); err != nil {
				return err
			}
			d.CertificateArn, d.CreatedAt, c.Tags = old.Certificate.CertificateArn, old.Certificate.CreatedAt, old.Tags
		}
		store.Certificates.Put(tx, c)
		out.CertificateArn = d.CertificateArn
		return nil
	})
}

// checkReplaced holds what a certificate must have in common with the one that it
// replaces.
// Source: ACM user guide, "Reimport a certificate".
func checkReplaced(old, d *acm.CertificateDetail) error {
	switch {
	case old.Type != acm.CertificateTypeImported:
		return invalid("Certificate %s was not imported and cannot be re-imported.", *old.CertificateArn)
	case old.KeyAlgorithm != d.KeyAlgorithm:
		return invalid("The key algorithm of the certificate must be that of the one it replaces, %s.", old.KeyAlgorithm)
	}
	for _, u := range old.KeyUsages {
		if !slices.Contains(d.KeyUsages, u) {
			return invalid("New certificate is missing one or more Key Usages supported by the currently imported certificate")
		}
	}
	for _, u := range old.ExtendedKeyUsages {
		if !slices.ContainsFunc(d.ExtendedKeyUsages, func(o acm.ExtendedKeyUsage) bool { return o.Name == u.Name && aws.Value(o.OID) == aws.Value(u.OID) }) {
			return invalid("New certificate is missing one or more Extended Key Usages supported by the currently imported certificate")
		}
	}
	return nil
}
