package worker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fargo/balancer/health"
	"fargo/desired"
	"fargo/secret"
)

// drawConfig makes a configuration of few names, so that two have some in common.
func drawConfig(t *rapid.T, generation uint64) *config {
	keys := map[desired.SecretID]secret.Text{}
	certificate := rapid.Custom(func(t *rapid.T) desired.Certificate {
		chain := rapid.SampledFrom([]string{"c1", "c2", "c3"}).Draw(t, "chain")
		id := desired.CertificateKeyOf(chain)
		if rapid.Bool().Draw(t, "has key") {
			keys[id] = secret.New("key of " + chain)
		}
		return desired.Certificate{ARN: "arn:" + chain, Chain: chain, KeyID: id}
	})
	arns := func(what string) []string {
		return rapid.SliceOfDistinct(rapid.SampledFrom([]string{"1", "2", "3", "4"}), func(s string) string { return s }).Draw(t, what)
	}
	var balancers []desired.Balancer
	for _, arn := range arns("balancers") {
		balancers = append(balancers, desired.Balancer{
			ARN: arn, Name: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "name"),
			Listeners: []desired.BalancerListener{{ARN: arn, Certificates: rapid.SliceOfN(certificate, 1, 3).Draw(t, "certificates")}},
		})
	}
	c := &config{generation: generation}
	c.balancers, c.certificates = splitCertificates(balancers, keys)
	for _, arn := range arns("groups") {
		c.groups = append(c.groups, desired.BalancerGroup{ARN: arn, Name: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "name")})
	}
	for _, arn := range arns("health") {
		status := health.Status{TargetReport: desired.TargetReport{Group: arn, State: rapid.SampledFrom([]string{"healthy", "unhealthy"}).Draw(t, "state")}}
		c.health = append(c.health, groupHealth{arn, []health.Status{status}})
	}
	for range rapid.IntRange(1, ticketsKept).Draw(t, "tickets") {
		c.tickets = append(c.tickets, secret.Exposed{Text: secret.New(strconv.Itoa(rapid.IntRange(1, 3).Draw(t, "ticket")))})
	}
	return c
}

// pieces are those of a configuration by name: their order means nothing.
func pieces(c *config) map[string]any {
	all := map[string]any{"generation": c.generation, "tickets": c.tickets}
	for _, b := range c.balancers {
		all["balancer "+b.ARN] = b
	}
	for _, g := range c.groups {
		all["group "+g.ARN] = g
	}
	for _, k := range c.certificates {
		all["certificate "+string(k.ID)] = k
	}
	for _, h := range c.health {
		all["health "+h.Group] = h
	}
	return all
}

// What is between two configurations, sent as JSON, leads from the one to the other,
// and from nothing to any; between equal ones there is nothing.
func TestUpdateLeadsToNext(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old, next := drawConfig(t, 1), drawConfig(t, 2)
		for _, from := range []*config{old, nil} {
			data, err := json.Marshal(between(from, next))
			if err != nil {
				t.Fatal(err)
			}
			var u update
			if err := json.Unmarshal(data, &u); err != nil {
				t.Fatal(err)
			}
			if from == nil {
				from = &config{}
			}
			if got := from.apply(&u); !reflect.DeepEqual(pieces(got), pieces(next)) {
				t.Fatalf("got %v\nwant %v\nby %s", pieces(got), pieces(next), data)
			}
		}
		same := *old
		same.generation++
		if u := between(old, &same); !u.empty() {
			t.Fatalf("between equal ones: %+v", u)
		}
	})
}

// Certificates go apart from load balancers, each once, and come back.
func TestCertificatesGoApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawConfig(t, 1)
		for _, b := range c.balancers {
			for _, certificate := range b.Listeners[0].Certificates {
				if certificate.Chain != "" {
					t.Fatalf("a load balancer has a chain: %+v", b)
				}
			}
		}
		balancers, keys := joinCertificates(c.balancers, c.certificates)
		for _, b := range balancers {
			for _, certificate := range b.Listeners[0].Certificates {
				if desired.CertificateKeyOf(certificate.Chain) != certificate.KeyID {
					t.Fatalf("a certificate has the chain of another: %+v", certificate)
				}
			}
		}
		without, all := splitCertificates(balancers, keys)
		if !reflect.DeepEqual(without, c.balancers) || !reflect.DeepEqual(all, c.certificates) {
			t.Fatalf("got %+v %+v\nwant %+v %+v", without, all, c.balancers, c.certificates)
		}
	})
}

// What is logged or dumped of a configuration or an update shows no key and no secret
// of tickets.
func TestSecretsAreNotShown(t *testing.T) {
	const value = "hunter2-correct-horse"
	s := secret.Exposed{Text: secret.New(value)}
	c := &config{generation: 1, certificates: []certificate{{ID: "id", Chain: "chain", Key: s}}, tickets: []secret.Exposed{s}}
	u := between(nil, c)
	data, err := json.Marshal(u)
	if err != nil || strings.Count(string(data), value) != 2 {
		t.Fatalf("the update does not carry the secrets: %s, %v", data, err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("told", "config", *c, "update", *u)
	for _, text := range []string{log.String(), fmt.Sprintf("%v %+v %#v", *c, *c, *c), fmt.Sprintf("%v %+v %#v", *u, *u, *u)} {
		if strings.Contains(text, value) {
			t.Errorf("a secret is shown: %s", text)
		}
	}
}
