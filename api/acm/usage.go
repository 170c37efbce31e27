package acm

import (
	"crypto/x509"

	"fargo/aws/acm"
)

// usages are the names of what a key may be used for.
// Source: ACM API, KeyUsage; RFC 5280, 4.2.1.3.
var usages = []struct {
	bit  x509.KeyUsage
	name acm.KeyUsageName
}{
	{x509.KeyUsageDigitalSignature, acm.KeyUsageNameDigitalSignature},
	{x509.KeyUsageContentCommitment, acm.KeyUsageNameNonRepudiation},
	{x509.KeyUsageKeyEncipherment, acm.KeyUsageNameKeyEncipherment},
	{x509.KeyUsageDataEncipherment, acm.KeyUsageNameDataEncipherment},
	{x509.KeyUsageKeyAgreement, acm.KeyUsageNameKeyAgreement},
	{x509.KeyUsageCertSign, acm.KeyUsageNameCertificateSigning},
	{x509.KeyUsageCRLSign, acm.KeyUsageNameCrlSigning},
	{x509.KeyUsageEncipherOnly, acm.KeyUsageNameEncipherOnly},
	{x509.KeyUsageDecipherOnly, acm.KeyUsageNameDecipherOnly},
}

func keyUsages(c *x509.Certificate) []acm.KeyUsage {
	out := []acm.KeyUsage{}
	for _, u := range usages {
		if c.KeyUsage&u.bit != 0 {
			out = append(out, acm.KeyUsage{Name: u.name})
		}
	}
	return out
}

// extended are the names of extended usages.
// Source: ACM API, ExtendedKeyUsage; RFC 5280, 4.2.1.12.
var extended = map[x509.ExtKeyUsage]struct {
	name acm.ExtendedKeyUsageName
	oid  string
}{
	x509.ExtKeyUsageAny:             {acm.ExtendedKeyUsageNameAny, "2.5.29.37.0"},
	x509.ExtKeyUsageServerAuth:      {acm.ExtendedKeyUsageNameTlsWebServerAuthentication, "1.3.6.1.5.5.7.3.1"},
	x509.ExtKeyUsageClientAuth:      {acm.ExtendedKeyUsageNameTlsWebClientAuthentication, "1.3.6.1.5.5.7.3.2"},
	x509.ExtKeyUsageCodeSigning:     {acm.ExtendedKeyUsageNameCodeSigning, "1.3.6.1.5.5.7.3.3"},
	x509.ExtKeyUsageEmailProtection: {acm.ExtendedKeyUsageNameEmailProtection, "1.3.6.1.5.5.7.3.4"},
	x509.ExtKeyUsageIPSECEndSystem:  {acm.ExtendedKeyUsageNameIpsecEndSystem, "1.3.6.1.5.5.7.3.5"},
	x509.ExtKeyUsageIPSECTunnel:     {acm.ExtendedKeyUsageNameIpsecTunnel, "1.3.6.1.5.5.7.3.6"},
	x509.ExtKeyUsageIPSECUser:       {acm.ExtendedKeyUsageNameIpsecUser, "1.3.6.1.5.5.7.3.7"},
	x509.ExtKeyUsageTimeStamping:    {acm.ExtendedKeyUsageNameTimeStamping, "1.3.6.1.5.5.7.3.8"},
	x509.ExtKeyUsageOCSPSigning:     {acm.ExtendedKeyUsageNameOcspSigning, "1.3.6.1.5.5.7.3.9"},
}

func extendedKeyUsages(c *x509.Certificate) []acm.ExtendedKeyUsage {
	out := []acm.ExtendedKeyUsage{}
	for _, u := range c.ExtKeyUsage {
		if e, ok := extended[u]; ok {
			out = append(out, acm.ExtendedKeyUsage{Name: e.name, OID: new(e.oid)})
			continue
		}
		out = append(out, acm.ExtendedKeyUsage{Name: acm.ExtendedKeyUsageNameCustom})
	}
	for _, oid := range c.UnknownExtKeyUsage {
		out = append(out, acm.ExtendedKeyUsage{Name: acm.ExtendedKeyUsageNameCustom, OID: new(oid.String())})
	}
	return out
}
