package main

import (
	"fargo/desired"
	"fargo/store"
)

// originOf reads where in a VPC a request comes from: what a node has signed with the key
// of a certificate of the APIs that there is now.
func originOf(r store.Reader, header string) (desired.Origin, bool) {
	for c := range store.PlatformCertificates.All(r) {
		if o, ok := desired.OpenOrigin(header, desired.OriginKey(c.PrivateKey)); ok {
			return o, true
		}
	}
	return desired.Origin{}, false
}
