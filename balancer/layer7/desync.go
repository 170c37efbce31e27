package layer7

import "fargo/balancer/http1"

// mitigation is what is done with a request for how it was written.
type mitigation struct {
	refuse bool // with 400, and what it came on is closed
	close  bool // what it came on and went on is closed after it
}

// mitigationFor decides it for a desync mitigation mode. What AWS passes on though it
// has no single framing, or cannot be written anew without doubt, http1 refuses
// before, in every mode; and where the next request begins is a matter of doubt,
// none is read, in every mode.
// Source: ALB user guide, "Desync mitigation mode".
func mitigationFor(mode string, f http1.Finding) mitigation {
	var c mitigation
	switch mode {
	case "strictest":
		c.refuse = f.Class != http1.Compliant
	case "defensive":
		c.refuse = f.Class == http1.Severe
		c.close = f.Class == http1.Ambiguous
	}
	c.close = c.close || c.refuse || f.Doubtful
	return c
}
