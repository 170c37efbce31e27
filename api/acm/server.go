// Package acm implements the operations of AWS Certificate Manager: import
// certificates, ask for new ones, show them, export them and give them to load
// balancers. It knows how certificates are checked; it refuses to know how they
// are served.
//
// There is no Amazon to issue certificates. Those that are asked for are issued
// at once by an authority of Fargo's own, one in each account and region, which
// clients must be told to trust: see [CACertificate].
package acm

import (
	"context"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws/acm"
	"fargo/record"
	"fargo/store"
)

// Server answers the ACM operations, from and into the store.
type Server struct{ db *store.DB }

// New makes a server on db.
func New(db *store.DB) *Server { return &Server{db: db} }

// update runs fn in a transaction with the caller's scope.
func (s *Server) update(ctx context.Context, fn func(tx *store.Tx, scope fargo.Scope) error) error {
	scope := api.CallFrom(ctx).Scope()
	return s.db.Update(ctx, func(tx *store.Tx) error { return fn(tx, scope) })
}

// now is a time as certificates have it: whole seconds, UTC.
func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

// invalid is ACM's answer to a parameter it cannot take.
func invalid(format string, args ...any) error { return acm.ValidationException(format, args...) }

// notImplemented names something that would change what happens, if Fargo knew
// how.
func notImplemented(what string) error { return invalid("Fargo does not implement %s.", what) }

// find finds a certificate of the caller's.
func find(r store.Reader, scope fargo.Scope, arn string) (*record.Certificate, error) {
	c, ok := store.Certificates.Get(r, arn)
	if !ok || c.Scope != scope {
		return nil, acm.ResourceNotFoundException("Could not find certificate %s.", arn)
	}
	return c, nil
}

// inUseBy are the ARNs of the load balancers that have a certificate, sorted.
func inUseBy(r store.Reader, arn string) []string {
	arns := []string{}
	for l := range store.ELBListeners.By(r, store.ListenerByCertificate, arn) {
		arns = append(arns, *l.Listener.LoadBalancerArn)
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

// hyphenated is an algorithm as ACM shows it: "RSA-2048", where it takes RSA_2048.
// Source: recorded; terraform-provider-aws, internal/service/acm/certificate.go.
func hyphenated(a acm.KeyAlgorithm) acm.KeyAlgorithm {
	return acm.KeyAlgorithm(strings.ReplaceAll(string(a), "_", "-"))
}

// shown is a certificate as it is now.
func shown(r store.Reader, c *record.Certificate, at time.Time) acm.CertificateDetail {
	d := c.Certificate
	d.InUseBy = inUseBy(r, c.Key())
	if at.After(*d.NotAfter) {
		d.Status = acm.CertificateStatusExpired
	}
	d.CertificateKeyPairOrigin = acm.CertificateKeyPairOriginAwsManaged
	if d.Type == acm.CertificateTypeImported {
		d.CertificateKeyPairOrigin = acm.CertificateKeyPairOriginCustomerProvided
	}
	d.KeyAlgorithm = hyphenated(d.KeyAlgorithm)
	d.RenewalEligibility = acm.RenewalEligibilityIneligible
	if renewable(r, c) {
		d.RenewalEligibility = acm.RenewalEligibilityEligible
	}
	return d
}

// DescribeCertificate shows a certificate.
func (s *Server) DescribeCertificate(ctx context.Context, in *acm.DescribeCertificateInput) (*acm.DescribeCertificateOutput, error) {
	view := s.db.View()
	c, err := find(view, api.CallFrom(ctx).Scope(), *in.CertificateArn)
	if err != nil {
		return nil, err
	}
	return &acm.DescribeCertificateOutput{Certificate: new(shown(view, c, now()))}, nil
}

// GetCertificate gives a certificate and its chain, in PEM.
func (s *Server) GetCertificate(ctx context.Context, in *acm.GetCertificateInput) (*acm.GetCertificateOutput, error) {
	c, err := find(s.db.View(), api.CallFrom(ctx).Scope(), *in.CertificateArn)
	if err != nil {
		return nil, err
	}
	out := &acm.GetCertificateOutput{Certificate: &c.Body}
	if c.Chain != "" {
		out.CertificateChain = &c.Chain
	}
	return out, nil
}

// DeleteCertificate deletes a certificate that no load balancer has.
func (s *Server) DeleteCertificate(ctx context.Context, in *acm.DeleteCertificateInput) (*acm.DeleteCertificateOutput, error) {
	arn := *in.CertificateArn
	return &acm.DeleteCertificateOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		if _, err := find(tx, scope, arn); err != nil {
			return err
		}
		if len(inUseBy(tx, arn)) > 0 {
			return acm.ResourceInUseException("Certificate %s in account %s is in use.", arn, scope.Account)
		}
		store.Certificates.Delete(tx, arn)
		return nil
	})
}

// newARN is the name of a new certificate.
func newARN(scope fargo.Scope) string {
	h := fargo.NewHex(32)
	return scope.ARN("acm", "certificate/"+strings.Join([]string{h[:8], h[8:12], "4" + h[13:16], "8" + h[17:20], h[20:]}, "-"))
}
