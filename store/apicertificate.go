package store

import "fargo/record"

// APICertificates has the one that clients are shown, if the APIs were ever served over TLS
// with a certificate of Fargo's own.
var APICertificates = NewTable("apicertificate", (*record.APICertificate).Key).Sealed()

// APICertificate gives it.
func APICertificate(r Reader) (*record.APICertificate, bool) {
	return APICertificates.Get(r, (*record.APICertificate)(nil).Key())
}
