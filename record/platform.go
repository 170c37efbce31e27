package record

import "time"

// PlatformCertificate is what Fargo's own APIs identify themselves with to tasks that
// call them by the names of AWS in a region. Its controller writes it. Its table is
// sealed.
type PlatformCertificate struct {
	Region string
	// Names are those that it was issued for.
	Names      []string
	Body       string // PEM
	Issuer     string // PEM, of the authority
	PrivateKey string // PEM
	NotAfter   time.Time
}

// Key is the certificate's place in the store.
func (c *PlatformCertificate) Key() string { return c.Region }
