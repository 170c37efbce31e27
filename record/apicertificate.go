package record

import "time"

// APICertificate is what Fargo's APIs identify themselves with to clients of this machine,
// where they are served over TLS. The process that serves them writes it. Its table is
// sealed.
type APICertificate struct {
	// Names are those that it was issued for: of hosts, and addresses.
	Names      []string
	Body       string // PEM
	Issuer     string // PEM, of the authority
	PrivateKey string // PEM
	NotAfter   time.Time
}

// Key is the certificate's place in the store: there is one.
func (*APICertificate) Key() string { return "apis" }
