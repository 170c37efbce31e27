package acm_test

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"fargo"
	"fargo/api"
	"fargo/api/acm"
	"fargo/api/apitest"
	wire "fargo/aws/acm"
	"fargo/aws/elbv2"
	"fargo/record"
	"fargo/store"
)

var testScope = fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}

// TestScripts runs the scripts. "import" is ImportCertificate with the files of
// testdata that it names (certificate, key, chain or "-") and an ARN to replace
// or tags; "listen" gives a certificate to a listener, and "unlisten" takes it
// back.
func TestScripts(t *testing.T) {
	apitest.Run(t, func(t *testing.T) apitest.Setup {
		db := open(t)
		server := acm.New(db)
		return apitest.Setup{
			Services: []api.Mounted{{Service: &wire.API, Server: server}},
			Commands: map[string]func(context.Context, string) (string, error){
				"import": func(ctx context.Context, args string) (string, error) {
					out, err := importFiles(ctx, server, strings.Fields(args))
					if err != nil {
						return "", err
					}
					b, err := json.MarshalIndent(out, "", "  ")
					return string(b), err
				},
				"listen":   func(ctx context.Context, arn string) (string, error) { return "", listen(ctx, db, arn) },
				"unlisten": func(ctx context.Context, _ string) (string, error) { return "", unlisten(ctx, db) },
			},
		}
	})
}

func open(t *testing.T) *store.DB {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func caller(ctx context.Context) context.Context {
	return api.WithCall(ctx, &api.Call{Account: testScope.Account, Region: testScope.Region})
}

func importFiles(ctx context.Context, s *acm.Server, args []string) (*wire.ImportCertificateOutput, error) {
	in := &wire.ImportCertificateInput{}
	for i, to := range []*[]byte{&in.Certificate, &in.PrivateKey, &in.CertificateChain} {
		if i < len(args) && args[i] != "-" {
			b, err := os.ReadFile("testdata/" + args[i])
			if err != nil {
				return nil, err
			}
			*to = b
		}
	}
	for _, a := range args[min(3, len(args)):] {
		if k, v, ok := strings.Cut(a, "="); ok {
			in.Tags = append(in.Tags, wire.Tag{Key: &k, Value: &v})
		} else {
			in.CertificateArn = &a
		}
	}
	return s.ImportCertificate(caller(ctx), in)
}

func listen(ctx context.Context, db *store.DB, arn string) error {
	return db.Update(ctx, func(tx *store.Tx) error {
		store.ELBListeners.Put(tx, &record.ELBListener{Scope: testScope, Listener: elbv2.Listener{
			ListenerArn: new("listener"), LoadBalancerArn: new("load balancer"), Certificates: []elbv2.Certificate{{CertificateArn: &arn}},
		}})
		return nil
	})
}

func unlisten(ctx context.Context, db *store.DB) error {
	return db.Update(ctx, func(tx *store.Tx) error {
		store.ELBListeners.Delete(tx, "listener")
		return nil
	})
}
