package tlsconfig

// Protocols are the protocols that an ALPN policy offers, the preferred first.
// Source: NLB user guide, "ALPN policies".
func Protocols(policy []string) []string {
	if len(policy) == 0 {
		return nil
	}
	switch policy[0] {
	case "HTTP1Only":
		return []string{"http/1.1", "http/1.0"}
	case "HTTP2Only":
		return []string{"h2"}
	case "HTTP2Optional":
		return []string{"http/1.1", "http/1.0", "h2"}
	case "HTTP2Preferred":
		return []string{"h2", "http/1.1", "http/1.0"}
	}
	return nil
}
