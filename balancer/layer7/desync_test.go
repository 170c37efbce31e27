package layer7

import (
	"testing"

	"fargo/balancer/http1"
)

// "Monitor: allowed; defensive: compliant and acceptable allowed, ambiguous
// allowed but both connections are closed, severe blocked; strictest: compliant
// allowed." ALB user guide, "Desync mitigation mode". What is doubtful closes
// besides, which is ours.
func TestDesyncMode(t *testing.T) {
	pass, closing, refuse := mitigation{}, mitigation{close: true}, mitigation{refuse: true, close: true}
	for mode, want := range map[string][4]mitigation{
		"monitor":   {pass, pass, pass, pass},
		"defensive": {pass, pass, closing, refuse},
		"strictest": {pass, refuse, refuse, refuse},
	} {
		for class, want := range want {
			if got := mitigationFor(mode, http1.Finding{Class: http1.Class(class)}); got != want {
				t.Errorf("%s: %v: %+v", mode, http1.Class(class), got)
			}
			got := mitigationFor(mode, http1.Finding{Class: http1.Class(class), Doubtful: true})
			if want.close = true; got != want {
				t.Errorf("%s: doubtful, %v: %+v", mode, http1.Class(class), got)
			}
		}
	}
}
