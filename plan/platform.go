package plan

import (
	"cmp"
	"slices"
	"time"

	"fargo/desired"
	"fargo/record"
)

// Platform is how nodes serve Fargo's APIs to tasks: by the names of the regions that
// have a certificate. upstream is the base URL of the APIs.
func Platform(upstream string, certificates []*record.PlatformCertificate) (p desired.Platform) {
	p.Upstream = upstream
	certificates = slices.SortedFunc(slices.Values(certificates), func(a, b *record.PlatformCertificate) int {
		return cmp.Or(-compareBool(a.Region == GlobalRegion, b.Region == GlobalRegion), cmp.Compare(a.Region, b.Region))
	})
	for _, c := range certificates {
		p.Names = append(p.Names, ServiceNames(c.Region)...)
		p.Certificates = append(p.Certificates, PlatformCertificate(c))
		p.CA = c.Issuer
	}
	slices.Sort(p.Names)
	return p
}

// PlatformCertificate is a certificate as nodes get it.
func PlatformCertificate(c *record.PlatformCertificate) desired.Certificate {
	chain := c.Body + c.Issuer
	return desired.Certificate{Chain: chain, KeyID: desired.CertificateKeyOf(chain)}
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// NextPlatformCertificate decides whether a region's certificate is to be issued now, and
// if not, when. There may be none yet.
func NextPlatformCertificate(c *record.PlatformCertificate, region string, now time.Time) (due bool, at time.Time) {
	if c == nil || !slices.Equal(c.Names, CertificateNames(region)) {
		return true, time.Time{}
	}
	if at = c.NotAfter.Add(-renewBefore); now.Before(at) {
		return false, at
	}
	return true, time.Time{}
}
