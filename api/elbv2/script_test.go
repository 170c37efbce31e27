package elbv2_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/apitest"
	"fargo/api/ec2"
	"fargo/api/elbv2"
	"fargo/api/s3"
	wireec2 "fargo/aws/ec2"
	wire "fargo/aws/elbv2"
	wires3 "fargo/aws/s3"
	"fargo/control"
	"fargo/desired"
	"fargo/objects"
	"fargo/record"
	"fargo/store"
)

// public is the range of public addresses, so large that none is chosen twice.
var public = netip.MustParsePrefix("240.0.0.0/8")

// public6 is the range of IPv6 blocks: one VPC's.
var public6 = netip.MustParsePrefix("2001:db8:0:100::/56")

// TestScripts runs the scripts against the API with a node that says what the
// script says: "node" makes one known, "health" is its word about a target, and
// "desired" shows what it is to run and "names" what names are to stand for. "log" is
// what the node does with a log, and "object" shows what is in a bucket.
func TestScripts(t *testing.T) {
	apitest.Run(t, func(t *testing.T) apitest.Setup {
		db, err := store.Open(t.Context(), store.NewMemory())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		plane := &control.Plane{DB: db, Sessions: control.NewSessions(), Logger: slog.New(slog.DiscardHandler)}
		contents, err := objects.Open(objects.Config{Dir: filepath.Join(t.TempDir(), "objects"), Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		buckets := s3.New(s3.Config{DB: db, Contents: contents, Authorizer: api.AllowAuthenticated{}})
		balancers := elbv2.New(elbv2.Config{DB: db, Public: public, Buckets: logBuckets{buckets}})
		return apitest.Setup{
			Services: []api.Mounted{
				{Service: &wires3.API, Server: buckets, Locate: buckets.Locate, CheckBody: s3.CheckBody},
				{Service: &wireec2.API, Server: ec2.New(ec2.Config{DB: db, Public: public, ElasticIPs: 5, Public6: public6})},
				{Service: &wire.API, Server: balancers},
			},
			Commands: map[string]func(context.Context, string) (string, error){
				"node": func(ctx context.Context, name string) (string, error) {
					return "", errors.Join(plane.Hello(ctx, desired.Hello{ID: name}), plane.ReportEmpty(ctx, name))
				},
				"health": func(ctx context.Context, args string) (string, error) { return "", health(ctx, db, plane, args) },
				"desired": func(ctx context.Context, node string) (string, error) {
					d, err := told(ctx, plane, node)
					if err != nil {
						return "", err
					}
					b, err := json.MarshalIndent(desired.State{Balancers: d.Balancers, Groups: d.Groups}, "", "  ")
					return string(b), err
				},
				"names": func(ctx context.Context, node string) (string, error) {
					d, err := told(ctx, plane, node)
					return names(d.Records), err
				},
				"log": func(ctx context.Context, args string) (string, error) {
					bucket, key, _ := strings.Cut(args, " ")
					return "", balancers.PutLogObject(ctx, desired.LogObject{Bucket: bucket, Name: key, Content: []byte("lines")})
				},
				"object": func(ctx context.Context, args string) (string, error) {
					bucket, key, _ := strings.Cut(args, " ")
					b, err := buckets.ReadObject(ctx, fargo.Scope{Account: fargo.DefaultAccount}, bucket, key, 100)
					return aTime.ReplaceAllString(string(b), "<time>"), err
				},
				"settle": func(ctx context.Context, _ string) (string, error) { return "", settle(ctx, db, plane.Sessions) },
				"certificate": func(ctx context.Context, arn string) (string, error) {
					return "", db.Update(ctx, func(tx *store.Tx) error {
						c := &record.Certificate{Scope: fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}, Body: "body of " + arn, PrivateKey: "key"}
						c.Certificate.CertificateArn = &arn
						store.Certificates.Put(tx, c)
						return nil
					})
				},
			},
		}
	})
}

// aTime is that of a test file.
var aTime = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)

// logBuckets are the buckets of S3, as cmd/fargo connects them.
type logBuckets struct{ *s3.Server }

func (b logBuckets) Takes(r store.Reader, d elbv2.LogDelivery) bool {
	return b.Server.Takes(r, (*s3.Delivery)(&d))
}

func (b logBuckets) Deliver(ctx context.Context, d elbv2.LogDelivery, content []byte) error {
	return b.Server.Deliver(ctx, (*s3.Delivery)(&d), content)
}

// health reports a state (and a reason) of every target with an address.
func health(ctx context.Context, db *store.DB, plane *control.Plane, args string) error {
	words := strings.SplitN(args, " ", 3)
	var reports []desired.TargetReport
	for t := range store.ELBTargets.All(db.View()) {
		if t.ID != words[0] {
			continue
		}
		r := desired.TargetReport{Group: t.Group, ID: t.ID, Port: t.Port, RegisteredAt: t.RegisteredAt, State: words[1]}
		if len(words) > 2 {
			r.Reason, r.Description = "Target.ResponseCodeMismatch", words[2]
		}
		reports = append(reports, r)
	}
	return plane.ReportTargets(ctx, "a", reports)
}

// settle lets the target controller look at everything once.
func settle(ctx context.Context, db *store.DB, sessions *control.Sessions) error {
	return db.Update(ctx, func(tx *store.Tx) error {
		for _, c := range []control.Controller{control.LoadBalancers(), control.Targets(sessions, 1)} {
			for key := range c.All(tx) {
				if _, err := c.Reconcile(tx, key, time.Now()); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// told is what a node is told.
func told(ctx context.Context, plane *control.Plane, node string) (d desired.State, err error) {
	enough := errors.New("told")
	if err := plane.Follow(ctx, node, func(all desired.Delta) error { d = desired.Apply(d, &all); return enough }); !errors.Is(err, enough) {
		return d, err
	}
	return d, nil
}

// names are the names that a node is told of, but for those of interfaces, each with how
// many addresses of a kind it stands for. Their order follows from chance.
func names(records []desired.Record) string {
	var b strings.Builder
	for _, r := range records {
		if r.Public.IsValid() {
			continue
		}
		of := map[string]int{}
		for _, a := range r.Addresses {
			switch {
			case a.Is6():
				of["IPv6"]++
			case public.Contains(a):
				of["public"]++
			default:
				of["private"]++
			}
		}
		fmt.Fprintf(&b, "%s: %v\n", r.Name, of)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// TestTexts holds that the source of every text of an error is known.
func TestTexts(t *testing.T) { apitest.Texts(t, ".") }
