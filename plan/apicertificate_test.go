package plan

import (
	"testing"
	"time"

	"fargo/record"
)

func TestAPICertificateDue(t *testing.T) {
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	fresh, names := now.Add(renewBefore+time.Second), []string{"localhost", "127.0.0.1"}
	for name, c := range map[string]struct {
		certificate *record.APICertificate
		names       []string
		want        bool
	}{
		"none":                {nil, names, true},
		"good":                {&record.APICertificate{Names: names, NotAfter: fresh}, names, false},
		"near its end":        {&record.APICertificate{Names: names, NotAfter: now.Add(renewBefore)}, names, true},
		"expired":             {&record.APICertificate{Names: names, NotAfter: now.AddDate(0, 0, -1)}, names, true},
		"a new name":          {&record.APICertificate{Names: names, NotAfter: fresh}, append([]string{"192.0.2.1"}, names...), true},
		"a name that is gone": {&record.APICertificate{Names: names, NotAfter: fresh}, names[:1], false},
	} {
		if got := APICertificateDue(c.certificate, c.names, now); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
