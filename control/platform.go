package control

import (
	"iter"
	"maps"
	"slices"
	"time"

	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/secret"
	"fargo/store"
)

// PlatformCertificates is the controller that has every region in use served with a
// certificate for the names of AWS there. issue makes one.
func PlatformCertificates(issue func(tx *store.Tx, region string, names []string, now time.Time) (*record.PlatformCertificate, error)) Controller {
	all := func(r store.Reader) iter.Seq[string] {
		regions := regionsInUse(r)
		for c := range store.PlatformCertificates.All(r) {
			regions[c.Region] = true
		}
		return slices.Values(slices.Sorted(maps.Keys(regions)))
	}
	return Controller{
		Name: "platformcertificate",
		All:  all,
		Scope: func(r store.Reader, c store.Change) iter.Seq[string] {
			switch c.Table {
			case store.EC2VPCs.Name():
				return all(r)
			case store.PlatformCertificates.Name():
				return slices.Values([]string{c.Key})
			}
			return slices.Values([]string(nil))
		},
		Reconcile: func(tx *store.Tx, region string, now time.Time) (time.Time, error) {
			c, known := store.PlatformCertificates.Get(tx, region)
			if !regionsInUse(tx)[region] {
				if known {
					store.PlatformCertificates.Delete(tx, region)
				}
				return time.Time{}, nil
			}
			due, next := plan.NextPlatformCertificate(c, region, now)
			if !due {
				return next, nil
			}
			c, err := issue(tx, region, plan.CertificateNames(region), now)
			if err != nil {
				return time.Time{}, err
			}
			store.PlatformCertificates.Put(tx, c)
			return time.Time{}, nil
		},
	}
}

// regionsInUse are those that have a VPC, where tasks may be, and the one of the names
// that have no region.
func regionsInUse(r store.Reader) map[string]bool {
	regions := map[string]bool{plan.GlobalRegion: true}
	for v := range store.EC2VPCs.All(r) {
		regions[v.Scope.Region] = true
	}
	return regions
}

// platformKey finds a private key among those of the certificates of Fargo's APIs, which
// every node serves.
func platformKey(view *store.Snapshot, id desired.SecretID) (secret.Text, bool) {
	for c := range store.PlatformCertificates.All(view) {
		if plan.PlatformCertificate(c).KeyID == id {
			return secret.New(c.PrivateKey), true
		}
	}
	return secret.Text{}, false
}
