package layer7

import "fargo/balancer/http1"

// mitigation is what is done with a request that does not follow the RFCs.
type mitigation struct {
	refuse bool // with 400, and the client's connection is closed
	close  bool // the client's connection and the target's are closed after it
}

// mitigationFor decides it for a desync mitigation mode. What AWS passes on though it
// has no single framing, or cannot be rewritten without doubt, http1 refuses before,
// in every mode. After a request whose end is in doubt no other is read, in every
// mode.
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
