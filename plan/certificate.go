package plan

import (
	"time"

	"fargo/aws/acm"
	"fargo/record"
)

// renewBefore is how long before its end a certificate is renewed.
// Source: ACM user guide, "Managed certificate renewal": 60 days.
const renewBefore = 60 * 24 * time.Hour

// Renewable reports whether a certificate can be renewed: ACM has issued it, and
// a load balancer uses it or its owner has exported it.
// Source: ACM user guide, "Managed certificate renewal".
func Renewable(c *record.Certificate, inUse bool) bool {
	return c.Certificate.Type == acm.CertificateTypeAmazonIssued && (c.Exported || inUse)
}

// NextRenewal decides whether a certificate is to be renewed now, and if not,
// when: never, when the time is zero. One that has expired meanwhile is renewed
// too, as nothing has to be validated anew.
func NextRenewal(c *record.Certificate, inUse bool, now time.Time) (due bool, at time.Time) {
	if !Renewable(c, inUse) {
		return false, time.Time{}
	}
	at = c.Certificate.NotAfter.Add(-renewBefore)
	if now.Before(at) {
		return false, at
	}
	return true, time.Time{}
}
