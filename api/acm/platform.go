package acm

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"net"
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

// IssueAPI issues a certificate for Fargo's APIs as clients of this machine know them: by
// names, at least one of which is that of a host, and by addresses. It is none of ACM's that
// users see.
func IssueAPI(tx *store.Tx, names []string, at time.Time) (*record.APICertificate, error) {
	at = at.UTC().Truncate(time.Second)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key for the APIs: %w", err)
	}
	private, err := encodeKey(key)
	if err != nil {
		return nil, err
	}
	a, err := openAuthority(tx, fargo.DefaultAccount, at)
	if err != nil {
		return nil, err
	}
	var hosts []string
	var addresses []net.IP
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			addresses = append(addresses, ip)
		} else {
			hosts = append(hosts, name)
		}
	}
	body, err := a.issue(key, hosts, addresses, at)
	if err != nil {
		return nil, fmt.Errorf("issue a certificate for the APIs: %w", err)
	}
	return &record.APICertificate{Names: names, Body: body, Issuer: a.pem, PrivateKey: private, NotAfter: at.Add(issuedLife)}, nil
}
