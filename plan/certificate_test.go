package plan

import (
	"testing"
	"time"

	"fargo/aws/acm"
	"fargo/record"
)

// TestNextRenewal holds which certificates are renewed, and when.
func TestNextRenewal(t *testing.T) {
	const day = 24 * time.Hour
	end := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	issued, imported := acm.CertificateTypeAmazonIssued, acm.CertificateTypeImported
	tests := map[string]struct {
		origin          acm.CertificateType
		inUse, exported bool
		before          time.Duration // the end
		due             bool
		at              time.Time
	}{
		"in use, early":       {issued, true, false, 60*day + 1, false, end.Add(-60 * day)},
		"in use":              {issued, true, false, 60 * day, true, time.Time{}},
		"exported, early":     {issued, false, true, 61 * day, false, end.Add(-60 * day)},
		"exported":            {issued, false, true, 1 * day, true, time.Time{}},
		"expired":             {issued, true, false, -day, true, time.Time{}},
		"nobody's":            {issued, false, false, day, false, time.Time{}},
		"imported and in use": {imported, true, false, day, false, time.Time{}},
	}
	for name, c := range tests {
		certificate := &record.Certificate{Exported: c.exported, Certificate: acm.CertificateDetail{Type: c.origin, NotAfter: &end}}
		if due, at := NextRenewal(certificate, c.inUse, end.Add(-c.before)); due != c.due || !at.Equal(c.at) {
			t.Errorf("%s: %t, %s", name, due, at)
		}
	}
}
