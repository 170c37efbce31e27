package control

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"fargo/api"
	"fargo/api/acm"
	wire "fargo/aws/acm"
	"fargo/aws/elbv2"
	"fargo/record"
	"fargo/store"
)

// request asks ACM for a certificate.
func (w *world) request(t *testing.T, name string) (arn string) {
	ctx := api.WithCall(context.Background(), &api.Call{Account: home.Account, Region: home.Region})
	out, err := acm.New(w.db).RequestCertificate(ctx, &wire.RequestCertificateInput{DomainName: &name, KeyAlgorithm: wire.KeyAlgorithmEcPrime256v1})
	if err != nil {
		t.Fatal(err)
	}
	return *out.CertificateArn
}

// terminate has a listener end TLS with these certificates.
func (w *world) terminate(arns ...string) {
	w.update(func(tx *store.Tx) {
		store.ELBListeners.Put(tx, &record.ELBListener{Scope: home, Certificates: arns, Listener: elbv2.Listener{
			ListenerArn: new(theListener), LoadBalancerArn: new(theBalancer), Protocol: elbv2.ProtocolEnumHttps, Port: new(int32(443)),
		}})
	})
}

func (w *world) certificate(arn string) record.Certificate {
	c, _ := store.Certificates.Get(w.db.View(), arn)
	return *c
}

// TestCertificatesAreRenewed holds that certificates which a listener uses are
// issued anew 60 days before they end, again and again, many at a time, and that
// one that nobody uses is left to expire, until somebody does.
func TestCertificatesAreRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.stop()
		unused := w.request(t, "unused.test")
		var used []string
		for i := range 3 {
			used = append(used, w.request(t, fmt.Sprintf("%d.test", i)))
		}
		w.terminate(used...)
		for range 2 {
			var before []record.Certificate
			for _, arn := range used {
				before = append(before, w.certificate(arn))
			}
			due := before[0].Certificate.NotAfter.Add(-60 * 24 * time.Hour)
			time.Sleep(time.Until(due) - time.Nanosecond)
			synctest.Wait()
			for i, arn := range used {
				if c := w.certificate(arn); c.Body != before[i].Body {
					t.Fatalf("%s is renewed before its time", *c.Certificate.DomainName)
				}
			}
			time.Sleep(time.Second)
			synctest.Wait()
			for i, arn := range used {
				c := w.certificate(arn)
				if c.Body == before[i].Body || c.PrivateKey == before[i].PrivateKey || !c.Certificate.NotAfter.After(before[i].Certificate.NotAfter.Add(300*24*time.Hour)) {
					t.Errorf("%s is not renewed: it ends at %s", *c.Certificate.DomainName, c.Certificate.NotAfter)
				}
				if s := c.Certificate.RenewalSummary; s == nil || s.RenewalStatus != wire.RenewalStatusSuccess || !s.UpdatedAt.Equal(due) {
					t.Errorf("%s says of its renewal: %+v", *c.Certificate.DomainName, s)
				}
			}
		}
		old := w.certificate(unused)
		if !time.Now().After(*old.Certificate.NotAfter) {
			t.Fatalf("the one that nobody uses ends at %s", old.Certificate.NotAfter)
		}
		w.terminate(append(used, unused)...)
		synctest.Wait()
		if c := w.certificate(unused); !c.Certificate.NotAfter.After(time.Now()) {
			t.Errorf("it ends at %s, and is used at %s", c.Certificate.NotAfter, time.Now())
		}
	})
}
