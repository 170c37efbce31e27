package elbv2_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"fargo"
	wire "fargo/aws/elbv2"
	"fargo/record"
	"fargo/store"
)

// TestCertificateLimit holds that a load balancer's listeners share one limit.
func TestCertificateLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newFixture(t)
		defer h.db.Close()
		listeners := []string{h.listener(t, 0, 443), h.listener(t, 0, 8443)}
		for n := range 25 {
			h.certify(t, rapid.SampledFrom(listeners).Draw(t, "listener"), fmt.Sprint(n))
		}
		h.certificate(t, "more")
		for _, l := range listeners {
			_, err := h.s.AddListenerCertificates(h.ctx, &wire.AddListenerCertificatesInput{ListenerArn: &l, Certificates: []wire.Certificate{{CertificateArn: new(certificateARN("more"))}}})
			if err == nil {
				t.Fatal("26 certificates are on a load balancer")
			}
		}
		h.certify(t, h.listener(t, 1, 443), "more")
	})
}

func certificateARN(name string) string {
	return "arn:aws:acm:us-east-1:123456789012:certificate/" + name
}

// certificate makes sure that there is a certificate.
func (h *fixture) certificate(t *rapid.T, name string) {
	c := &record.Certificate{Scope: fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}}
	c.Certificate.CertificateArn = new(certificateARN(name))
	if err := h.db.Update(h.ctx, func(tx *store.Tx) error { store.Certificates.Put(tx, c); return nil }); err != nil {
		t.Fatal(err)
	}
}

// certify adds a certificate to a listener, besides its default one.
func (h *fixture) certify(t *rapid.T, listener, name string) {
	h.certificate(t, name)
	if _, err := h.s.AddListenerCertificates(h.ctx, &wire.AddListenerCertificatesInput{ListenerArn: &listener, Certificates: []wire.Certificate{{CertificateArn: new(certificateARN(name))}}}); err != nil {
		t.Fatal(err)
	}
}

// listener makes an HTTPS listener.
func (h *fixture) listener(t *rapid.T, lb int, port int32) string {
	h.certificate(t, "default")
	out, err := h.s.CreateListener(h.ctx, &wire.CreateListenerInput{
		LoadBalancerArn: &h.lbs[lb], Port: &port, Protocol: wire.ProtocolEnumHttps, Certificates: []wire.Certificate{{CertificateArn: new(certificateARN("default"))}},
		DefaultActions: []wire.Action{{Type: wire.ActionTypeEnumForward, TargetGroupArn: &h.groups[lb]}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.Listeners[0].ListenerArn
}
