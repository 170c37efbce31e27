package acm

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"time"

	"fargo"
	"fargo/record"
	"fargo/store"
)

// IssuePlatform issues a certificate for Fargo's own APIs in a region, by the authority of
// the default account. It is none of ACM's that users see.
func IssuePlatform(tx *store.Tx, region string, names []string, at time.Time) (*record.PlatformCertificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key for the APIs in %s: %w", region, err)
	}
	c, err := sign(tx, fargo.Scope{Account: fargo.DefaultAccount, Region: region}, names, key, at.UTC().Truncate(time.Second))
	if err != nil {
		return nil, err
	}
	return &record.PlatformCertificate{
		Region: region, Names: names, Body: c.Body, Issuer: c.Chain, PrivateKey: c.PrivateKey, NotAfter: *c.Certificate.NotAfter,
	}, nil
}
