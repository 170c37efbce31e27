package control

import (
	"iter"
	"slices"
	"time"

	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// renewed is the key under which a transaction notes that it has renewed a certificate.
type renewed struct{}

// Certificates is the controller that renews what ACM has issued before it
// expires. renew issues a certificate anew, under its own ARN.
func Certificates(renew func(tx *store.Tx, c *record.Certificate, now time.Time) error) Controller {
	return Controller{
		Name: "certificate",
		All:  func(r store.Reader) iter.Seq[string] { return keys(store.Certificates.All(r)) },
		Scope: func(r store.Reader, c store.Change) iter.Seq[string] {
			switch c.Table {
			case store.Certificates.Name():
				return slices.Values([]string{c.Key})
			case store.ELBListeners.Name(): // it may have begun to use one
				if l, ok := store.ELBListeners.Get(r, c.Key); ok {
					return slices.Values(l.AllCertificates())
				}
			}
			return slices.Values([]string(nil))
		},
		Reconcile: func(tx *store.Tx, key string, now time.Time) (time.Time, error) {
			c, ok := store.Certificates.Get(tx, key)
			if !ok {
				return time.Time{}, nil
			}
			due, next := plan.NextRenewal(c, certificateInUse(tx, key), now)
			if !due {
				return next, nil
			}
			// A key takes long to make: one in a transaction, so that none holds up
			// the API for long.
			done := store.Cached(tx, renewed{}, func() *bool { return new(false) })
			if *done {
				return now, nil
			}
			*done = true
			return time.Time{}, renew(tx, c, now)
		},
	}
}

func certificateInUse(r store.Reader, arn string) bool {
	for range store.ELBListeners.By(r, store.ListenerByCertificate, arn) {
		return true
	}
	return false
}
