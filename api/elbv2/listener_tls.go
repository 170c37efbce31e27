package elbv2

import (
	"cmp"
	"context"
	"slices"
	"time"

	"fargo"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/elbv2"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// maxCertificates is how many a load balancer may have besides the default ones
// of its listeners.
// Source: ELB user guide, "Quotas for your Application Load Balancers".
const maxCertificates = 25

// alpnPolicies are those of a TLS listener.
// Source: ELBv2 API, CreateListener.
var alpnPolicies = []string{"HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None"}

// completeTLS checks and completes what has to do with encryption.
func completeTLS(r store.Reader, lb *record.ELBLoadBalancer, l *elbv2.Listener) error {
	if len(l.AlpnPolicy) > 0 {
		switch {
		case lb.LoadBalancer.Type == elbv2.LoadBalancerTypeEnumApplication:
			return invalid("You cannot set ALPN policy on load balancers of type 'application'")
		case l.Protocol != elbv2.ProtocolEnumTls:
			return invalid("ALPN policies are not supported for listeners with the %s protocol", l.Protocol)
		case len(l.AlpnPolicy) > 1:
			return invalid("Up to '1' ALPN policy can be specified, but '%d' were specified", len(l.AlpnPolicy))
		case !slices.Contains(alpnPolicies, l.AlpnPolicy[0]):
			return elbv2.ALPNPolicyNotSupportedException("ALPN policy [%s] is not found", l.AlpnPolicy[0])
		}
	}
	if err := completeMutual(l); err != nil {
		return err
	}
	if !encrypted(l.Protocol) {
		switch {
		case len(l.Certificates) > 0:
			return invalid("A certificate cannot be specified for %s listeners", l.Protocol)
		case l.SslPolicy != nil:
			return invalid("An SSL policy cannot be specifed for %s listeners", l.Protocol) //nolint:misspell // as AWS spells it
		}
		return nil
	}
	switch {
	case len(l.Certificates) == 0 || l.Certificates[0].CertificateArn == nil:
		return invalid("A certificate must be specified for %s listeners", l.Protocol)
	case len(l.Certificates) > 1:
		return elbv2.TooManyCertificatesException("Up to '1' certificate ARNs can be specified, but '%d' were specified", len(l.Certificates))
	case l.Certificates[0].IsDefault != nil:
		return invalid("IsDefault cannot be specified for the certificate of a listener")
	}
	if err := checkCertificate(r, lb.Scope, *l.Certificates[0].CertificateArn); err != nil {
		return err
	}
	l.SslPolicy = cmp.Or(l.SslPolicy, new(plan.DefaultSSLPolicy))
	if _, ok := plan.SSLPolicyNamed(*l.SslPolicy); !ok {
		return elbv2.SSLPolicyNotFoundException("SSL policy '%s' not found", *l.SslPolicy)
	}
	return nil
}

// completeMutual leaves mutual authentication off, the only mode there is.
func completeMutual(l *elbv2.Listener) error {
	m := l.MutualAuthentication
	switch {
	case m == nil:
	case l.Protocol != elbv2.ProtocolEnumHttps:
		return invalid("Mutual Authentication cannot be set for non secure listeners")
	case aws.Value(m.Mode) != "off":
		return notImplemented("mutual authentication (trust stores): the mode must be off")
	case m.TrustStoreArn != nil || m.IgnoreClientCertificateExpiry != nil || m.AdvertiseTrustStoreCaNames != "":
		return invalid("Mutual authentication options cannot be specified with the mode 'off'")
	}
	if l.Protocol == elbv2.ProtocolEnumHttps {
		l.MutualAuthentication = &elbv2.MutualAuthenticationAttributes{Mode: new("off")}
	}
	return nil
}

// checkCertificate refuses what is no certificate of the caller's region, and one
// that is not there.
func checkCertificate(r store.Reader, scope fargo.Scope, arn string) error {
	a, ok := fargo.ParseARN(arn)
	if !ok || a.Service != "iam" && (a.Service != "acm" || a.Region != scope.Region) {
		return invalid("Certificate ARN '%s' is not valid", arn)
	}
	if c, ok := store.Certificates.Get(r, arn); !ok || c.Scope != scope {
		return elbv2.CertificateNotFoundException("Certificate '%s' not found", arn)
	}
	return nil
}

// AddListenerCertificates adds certificates to a listener, besides its default one,
// for clients that ask for their names. One that is there stays.
func (s *Server) AddListenerCertificates(ctx context.Context, in *elbv2.AddListenerCertificatesInput) (*elbv2.AddListenerCertificatesOutput, error) {
	out := &elbv2.AddListenerCertificatesOutput{Certificates: []elbv2.Certificate{}}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		l, err := listener(tx, scope, *in.ListenerArn)
		if err != nil {
			return err
		}
		if !encrypted(l.Listener.Protocol) {
			return invalid("A certificate cannot be specified for %s listeners", l.Listener.Protocol)
		}
		c := *l
		c.Certificates = slices.Clone(l.Certificates)
		for _, added := range in.Certificates {
			if added.IsDefault != nil {
				return invalid("IsDefault cannot be specified when certificates are added to a listener")
			}
			arn := aws.Value(added.CertificateArn)
			if err := checkCertificate(tx, scope, arn); err != nil {
				return err
			}
			out.Certificates = append(out.Certificates, elbv2.Certificate{CertificateArn: &arn, IsDefault: new(false)})
			if !slices.Contains(c.Certificates, arn) {
				c.Certificates = append(c.Certificates, arn)
			}
		}
		store.ELBListeners.Put(tx, &c)
		return countCertificates(tx, *c.Listener.LoadBalancerArn)
	})
}

// countCertificates refuses too many on a load balancer. It is asked after a
// change, in the same transaction.
func countCertificates(r store.Reader, lb string) error {
	n := 0
	for l := range store.ELBListeners.By(r, store.ListenerByLoadBalancer, lb) {
		n += len(l.Certificates)
	}
	if n > maxCertificates {
		return elbv2.TooManyCertificatesException("The maximum number of certificates per load balancer is '%d'", maxCertificates)
	}
	return nil
}

// RemoveListenerCertificates takes certificates away, but not the default one.
func (s *Server) RemoveListenerCertificates(ctx context.Context, in *elbv2.RemoveListenerCertificatesInput) (*elbv2.RemoveListenerCertificatesOutput, error) {
	return &elbv2.RemoveListenerCertificatesOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		l, err := listener(tx, scope, *in.ListenerArn)
		if err != nil {
			return err
		}
		c := *l
		c.Certificates = slices.Clone(l.Certificates)
		for _, removed := range in.Certificates {
			arn := aws.Value(removed.CertificateArn)
			at := slices.Index(c.Certificates, arn)
			if at < 0 && slices.Contains(l.AllCertificates(), arn) {
				return elbv2.OperationNotPermittedException("Default certificate '%s' cannot be removed from the listener", arn)
			}
			if at >= 0 {
				c.Certificates = slices.Delete(c.Certificates, at, at+1)
			}
		}
		store.ELBListeners.Put(tx, &c)
		return nil
	})
}

// DescribeListenerCertificates shows a listener's certificates, the default one
// first.
func (s *Server) DescribeListenerCertificates(ctx context.Context, in *elbv2.DescribeListenerCertificatesInput) (*elbv2.DescribeListenerCertificatesOutput, error) {
	r, scope := s.view(ctx)
	l, err := listener(r, scope, *in.ListenerArn)
	if err != nil {
		return nil, err
	}
	var all []elbv2.Certificate
	for _, c := range l.Listener.Certificates {
		all = append(all, elbv2.Certificate{CertificateArn: c.CertificateArn, IsDefault: new(true)})
	}
	for _, arn := range slices.Sorted(slices.Values(l.Certificates)) {
		all = append(all, elbv2.Certificate{CertificateArn: &arn, IsDefault: new(false)})
	}
	// The default certificate may be there a second time, for SNI.
	key := func(c elbv2.Certificate) string {
		if aws.Value(c.IsDefault) {
			return ""
		}
		return *c.CertificateArn
	}
	shown, next, err := page.Of(pages.Ask(in, in.Marker, in.PageSize), slices.Values(all), key)
	return &elbv2.DescribeListenerCertificatesOutput{Certificates: shown, NextMarker: next}, err
}
